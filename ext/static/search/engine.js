/* 检索：切词、打分、摘要。不碰页面，所以测试可以直接调用 bookSearch.find(查询)。 */
(() => {
  "use strict";
  const { entries, synonyms, stopwords, generic, outside } = window.bookSearchIndex;
  const BODY = { title: 2, parents: 1.5, text: 1, code: 0.3 };
  const CHINESE = /[\u3400-\u9fff]/;
  const isHan = (text) => CHINESE.test(text);
  const ABSENT = "\ue000"; // 代替“书里没有讲的主题”的每个字，与谁都对不上

  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const unique = (items) => [...new Set(items)];

  // ---------------------------------------------------------------- 统一写法

  /* 全角变半角；大写变小写。长度都不变，所以位置可以对回原文。 */
  const narrow = (text) =>
    text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, " ");
  const lower = (text) => text.replace(/[A-Z\u00c0-\u00de\u0391-\u03a9]/g, (c) => c.toLowerCase());

  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  /* 认出其中任一个词的正则表达式，长的先认；拉丁词要整个词。 */
  function anyOf(words) {
    const sorted = [...words].sort((a, b) => b.length - a.length);
    const latin = sorted.filter((word) => !isHan(word)).map(escape);
    return new RegExp([...sorted.filter(isHan), `(?<![\\w.])(?:${latin.join("|") || "$^"})(?![\\w.])`].join("|"), "gi");
  }
  const SYNONYM = anyOf(Object.keys(synonyms));
  const unify = (text) => narrow(text).replace(SYNONYM, (word) => synonyms[lower(word)]);
  const STOPWORD = anyOf(stopwords);
  const OUTSIDE = anyOf(outside.map(unify));
  const GENERIC = anyOf(generic.map(unify));

  // ---------------------------------------------------------------- 切词

  /* 连着的汉字是一段，一个拉丁词（带着里面的 . 与 _）是一段。 */
  const RUN = /\ue000+|[\u3400-\u9fff]+|[A-Za-z0-9\u00b5\u0391-\u03c9]+(?:[._][A-Za-z0-9]+)*/g;
  const runs = (text) => text.match(RUN) || [];
  const meaningful = (text) => {
    const clear = unify(text).replace(OUTSIDE, (word) => ` ${ABSENT.repeat(word.length)} `);
    const kept = runs(clear.replace(STOPWORD, " "));
    return kept.length ? kept : runs(clear);
  };
  /* 汉字两个一组；索引里另加单个的字，读者只打一个字时用。 */
  const pairs = (run) => Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2));
  /* 英文复数变单数：gradients → gradient；loss、axis、bias 不变。 */
  const stem = (word) => (/^[a-z]{2,}[^aisu\d]s$/.test(word) ? word.slice(0, -1) : word);
  /* nn.CrossEntropyLoss → 整个词、nn、CrossEntropyLoss、cross、entropy、loss。 */
  const atoms = (word) => word.split(/[._]|(?<=[a-z])(?=[A-Z])/).map((part) => stem(lower(part)));
  const words = (word) => unique([stem(lower(word)), ...word.split(".").map(lower), ...atoms(word)]);

  const indexTokens = (list) => list.flatMap((run) => (isHan(run) ? [...pairs(run), ...run] : words(run)));
  const bodyTokens = (text) => indexTokens(runs(unify(text)));
  const nameTokens = (text) => indexTokens(meaningful(text));

  const namesOf = ({ title, names }) => unique([title, ...title.split(/[：，、]/), ...names]);
  const bodyOf = ({ title, parents, text, code }) => [title, parents, text, code].join(" ");
  const frequency = new Map(); // 词 → 有它的小节数
  for (const entry of entries)
    for (const token of new Set([...bodyTokens(bodyOf(entry)), ...namesOf(entry).flatMap(nameTokens)]))
      frequency.set(token, (frequency.get(token) || 0) + 1);
  const rarity = (token) => {
    const count = frequency.get(token) || 0;
    return Math.log(1 + (entries.length - count + 0.5) / (count + 0.5));
  };

  /* 查询里的拉丁词：整个词书里有就不必拆开。 */
  function runTokens(run) {
    if (run[0] === ABSENT) return [];
    if (isHan(run)) return run.length > 1 ? pairs(run) : [run];
    const whole = stem(lower(run));
    return frequency.has(whole) ? [whole] : words(run);
  }
  const queryTokens = (text) => unique(meaningful(text).flatMap(runTokens));
  /* 与标题、问法比的时候，单个的字也算一点：“下降路径”与“走的路”。 */
  const withChars = (text) => unique([...queryTokens(text), ...meaningful(text).filter(isHan).join("")]);

  // ---------------------------------------------------------------- 覆盖了多少

  /* 把话拆成一个个字（拉丁词拆成词），各有分量：越少见越重，泛泛的词轻。
     matches 里有一个找到，它就算找到；只找到单独的字，算一半。 */
  function hanUnits(run) {
    const light = mark(run, [...run.matchAll(GENERIC)].map((found) => found[0]));
    return [...run].map((char, i) => {
      const around = [run.slice(i - 1, i + 1), run.slice(i, i + 2)].filter((pair) => pair.length === 2);
      return { char, weight: (rarity(char) / 2) * (light[i] ? 0.25 : 1), matches: around.length ? around : [char] };
    });
  }
  const latinUnits = (run) =>
    atoms(run).map((atom) => ({
      weight: rarity(atom) * (atom.replace(GENERIC, "") ? 1 : 0.25),
      matches: [atom, stem(lower(run))],
    }));
  const runUnits = (run) => {
    if (run[0] === ABSENT) return [{ weight: (rarity(ABSENT) / 2) * run.length, matches: [] }];
    return isHan(run) ? hanUnits(run) : latinUnits(run);
  };
  const unitsOf = (text) => meaningful(text).flatMap(runUnits);
  function coverage(units, tokens) {
    const found = ({ matches, char }) => (matches.some((token) => tokens.has(token)) ? 1 : tokens.has(char) ? 0.5 : 0);
    return sum(units.map((unit) => unit.weight * found(unit))) / (sum(units.map((unit) => unit.weight)) || 1);
  }

  /* 至少要找到这么多才算数；话越长，与书里的说法差得越多，要求越低。一个长的拉丁词算四个字。 */
  const size = (run) => (isHan(run) || run[0] === ABSENT ? run.length : run.length > 3 ? 4 : 2);
  const neededShare = (query) =>
    Math.max(0.4, Math.min(0.65, 0.65 - 0.05 * (sum(meaningful(query).map(size)) - 6)));

  // ---------------------------------------------------------------- 两个索引：正文，与标题、术语、问法

  const searchOptions = {
    tokenize: queryTokens,
    prefix: (token) => !isHan(token) && token.length > 1,
    fuzzy: (token) => (!isHan(token) && token.length > 4 ? 1 : false),
  };
  const create = (fields, tokenize, options) =>
    new MiniSearch({ fields, tokenize, processTerm: (term) => term, searchOptions: { ...searchOptions, ...options } });
  const bodies = create(Object.keys(BODY), bodyTokens, { boost: BODY });
  bodies.addAll(entries.map((entry, id) => ({ id, ...entry })));
  const names = entries.flatMap((entry, owner) => namesOf(entry).map((name) => ({ owner, name, units: unitsOf(name) })));
  const named = create(["name"], nameTokens, {
    tokenize: withChars,
    boostTerm: (token) => (isHan(token) && token.length === 1 ? 0.1 : 1),
    bm25: { k: 1.2, b: 0.5, d: 0.5 },
  });
  named.addAll(names.map(({ name }, id) => ({ id, name })));

  // ---------------------------------------------------------------- 打分

  /* 一条问法的分数：两边互相覆盖得越多越高，一字不差的再乘 3。 */
  function nameScore({ score, queryTerms, terms }, units, nameUnits) {
    const ofQuery = coverage(units, new Set(queryTerms));
    const ofName = coverage(nameUnits, new Set(terms));
    return score * ofQuery * Math.sqrt(ofName) * (Math.min(ofQuery, ofName) > 0.999 ? 3 : 1);
  }

  /* 每一小节：正文的分数，与最像的三条问法的分数（后面的逐条打三折）。 */
  function gather(query, units) {
    const found = new Map();
    const at = (id) => found.get(id) ?? found.set(id, { id, body: 0, names: [], terms: [], hits: [] }).get(id);
    const note = (result, { queryTerms, terms }) => (result.terms.push(...queryTerms), result.hits.push(...terms));
    for (const hit of bodies.search(query)) {
      at(hit.id).body = hit.score * entries[hit.id].weight;
      note(at(hit.id), hit);
    }
    for (const hit of named.search(query)) {
      const { owner, units: nameUnits } = names[hit.id];
      at(owner).names.push(nameScore(hit, units, nameUnits));
      note(at(owner), hit);
    }
    return [...found.values()];
  }

  function find(query, limit = 10) {
    const units = unitsOf(query);
    const needed = neededShare(query);
    return gather(query, units)
      .map(({ id, body, names, terms, hits }) => {
        const share = coverage(units, new Set(terms));
        const [first = 0, second = 0, third = 0] = names.sort((a, b) => b - a);
        const score = (body + 2 * (first + 0.3 * second + 0.09 * third)) * share ** 2;
        return { ...entries[id], score, share, hits: unique(hits) };
      })
      .filter((result) => result.share >= needed)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  /* 查询里书中根本没有的词。 */
  const unknown = (query) => [
    ...(unify(query).match(OUTSIDE) || []),
    ...meaningful(query).filter((run) => run[0] !== ABSENT && !bodies.search(run).length && !named.search(run).length),
  ];

  // ---------------------------------------------------------------- 摘要

  /* 在原文里标出这些词：返回与原文等长的 0/1 数组。 */
  function mark(text, words) {
    const source = lower(narrow(text));
    const marks = new Uint8Array(text.length);
    for (const word of words)
      for (let at = source.indexOf(word); at >= 0; at = source.indexOf(word, at + 1)) marks.fill(1, at, at + word.length);
    return marks;
  }

  /* 命中的词，连同原文里可能出现的近义词；有长词时不标单个的字。 */
  function visible(hits) {
    const all = new Set(hits);
    const aliases = Object.keys(synonyms).filter((word) => queryTokens(word).every((token) => all.has(token)));
    const long = [...hits, ...aliases].filter((hit) => hit.length > 1);
    return long.length ? long : hits;
  }

  /* 命中最多、又最靠前的一段。 */
  function bestStart(marks, length) {
    let count = 0;
    let best = { count: -1, start: 0 };
    for (let i = 0; i < marks.length; i++) {
      count += marks[i] - (i >= length ? marks[i - length] : 0);
      if (count > best.count) best = { count, start: Math.max(0, i - length + 1) };
    }
    return best.start;
  }

  /* 把一段文字切成 [文字, 是否命中] 的列表。 */
  function slices(text, marks) {
    const parts = [];
    for (let i = 0; i < text.length; i++)
      if (i && marks[i] === marks[i - 1]) parts[parts.length - 1][0] += text[i];
      else parts.push([text[i], marks[i] === 1]);
    return parts;
  }

  const highlight = (text, hits) => slices(text, mark(text, visible(hits)));

  function excerpt(entry, hits, length = 90) {
    const useful = visible(hits);
    const inText = mark(entry.text, useful).some(Boolean);
    const text = inText || !mark(entry.code, useful).some(Boolean) ? entry.text : entry.code;
    const marks = mark(text, useful);
    const focus = bestStart(marks, length - 20);
    const first = marks.indexOf(1, focus);
    // 从命中处往回退到上一个句读，让摘要从一句话的开头读起
    const from = Math.max(0, (first < 0 ? 0 : first) - 30);
    const stop = text.slice(from, Math.max(first, 0)).search(/[。；：！？][^。；：！？]*$/);
    const start = stop >= 0 ? from + stop + 1 : from;
    const parts = slices(text.slice(start, start + length), marks.slice(start, start + length));
    if (start > 0 && stop < 0) parts.unshift(["…", false]);
    if (start + length < text.length) parts.push(["…", false]);
    return parts;
  }

  window.bookSearch = { find, unknown, excerpt, highlight };
})();
