/* 自测：选了哪一项，就出现那一项的说明；选错可以再选，选对才算答完，记进 progress.js。 */
(() => {
  "use strict";
  const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];

  function live(question) {
    const { key, right } = question.dataset;
    const inputs = [...question.querySelectorAll("input")];
    const answers = question.querySelector(".quiz-answers");
    const said = Object.assign(document.createElement("div"), { className: "quiz-feedback" });
    let moving; // 用方向键走到一项，还不算选它：读屏软件要这样才念得完各个选项

    function show(choice) {
      const words = [question.querySelector(`[id="${question.id}-${choice}"]`).cloneNode(true)];
      if (choice !== right) words.push(question.querySelector(`[id="${question.id}-where"]`).cloneNode(true));
      for (const each of words) each.removeAttribute("id");
      said.replaceChildren(...words);
      question.classList.toggle("quiz-wrong", choice !== right);
      question.classList.toggle("quiz-right", choice === right);
    }

    function choose(choice) {
      show(choice);
      bookProgress.update(({ answered }) => {
        const before = answered[key];
        const first = before?.right ? {} : { choice, right: choice === right, time: new Date().toISOString() };
        answered[key] = { ...before, ...first };
      });
    }

    question.addEventListener("keydown", (event) => {
      const checked = inputs.find((input) => input.checked);
      moving = ARROWS.includes(event.key);
      if (checked && ["Enter", " "].includes(event.key)) {
        event.preventDefault();
        choose(checked.value);
      }
    });
    question.addEventListener("pointerdown", () => (moving = false));
    question.addEventListener("change", ({ target }) => {
      if (moving) {
        said.textContent = `按回车，就选 ${target.value}。`;
        question.classList.remove("quiz-right", "quiz-wrong");
      } else choose(target.value);
      moving = false;
    });

    question.classList.add("quiz-live");
    answers.before(said);
    const before = bookProgress.get().answered[key]?.choice; // 上次选过
    const input = inputs.find((each) => each.value === before);
    if (input) {
      input.checked = true;
      show(before);
    } else {
      inputs.forEach((each) => (each.checked = false)); // 浏览器自己记住的不算
    }
    said.setAttribute("aria-live", "polite");
  }

  /* 一节的自测答对了几题。 */
  function count(quiz) {
    const questions = [...quiz.querySelectorAll(".quiz-question")];
    const score = Object.assign(document.createElement("p"), { className: "quiz-count", role: "status" });
    const update = () => {
      const { answered } = bookProgress.get();
      const mine = questions.map(({ dataset }) => answered[dataset.key]).filter(Boolean);
      const right = mine.filter((each) => each.right).length;
      score.textContent = mine.length ? `${questions.length} 题里答对 ${right} 题。` : "";
    };
    quiz.append(score);
    update();
    document.addEventListener("book-progress", update);
  }

  document.querySelectorAll(".quiz-question").forEach(live);
  document.querySelectorAll(".quiz").forEach(count);
})();
