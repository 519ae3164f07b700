/* 检索：切词、打分、摘要。不碰页面，所以测试可以直接调用 bookSearch.find(查询)。 */
(() => {
  "use strict";
  const { entries, synonyms, stopwords } = window.bookSearchIndex;
  const FIELDS = { title: 4, terms: 3, parents: 1.5, text: 1, code: 0.3 };
  // 查询里至少有这么多的字要在同一小节里找到，否则就说没有；话越长、段数越多，与书里的说法差得越多，要求越低
  const neededShare = (length, count) =>
    Math.max(0.4, Math.min(0.7, 0.7 - 0.05 * (length - 6)) - 0.1 * (count - 1));
  const CHINESE = /[\u3400-\u9fff]/;

  /* 全角变半角、大写变小写；长度不变，所以位置可以对回原文。 */
  const fold = (text) =>
    text
      .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
      .replace(/\u3000/g, " ")
      .replace(/[A-Z\u00c0-\u00de\u0391-\u03a9]/g, (c) => c.toLowerCase());

  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const longestFirst = (words) => [...words].sort((a, b) => b.length - a.length);
  const wordPattern = (word) => (CHINESE.test(word) ? word : `(?<![\\w.])${escape(word)}(?![\\w.])`);
  const SYNONYM = new RegExp(longestFirst(Object.keys(synonyms)).map(wordPattern).join("|"), "g");
  const STOPWORD = new RegExp(longestFirst(stopwords).join("|"), "g");
  const unify = (text) => fold(text).replace(SYNONYM, (word) => synonyms[word]);

  /* 汉字两个一组（单独一个也算）；拉丁词整个留下，再按 . 拆开，再按 _ 拆开。 */
  const pieces = (text) => text.match(/[\u3400-\u9fff]+|[a-z0-9\u00b5-\u03c9]+(?:[._][a-z0-9]+)*/g) || [];
  const bigrams = (run) => Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2));
  const split = (word) => [...new Set([word, ...word.split("."), ...word.split(/[._]/)])];
  const indexTokens = (text) =>
    pieces(unify(text)).flatMap((p) => (CHINESE.test(p) ? [...bigrams(p), ...p] : split(p)));
  const queryPieces = (text) => {
    const kept = pieces(unify(text).replace(STOPWORD, " "));
    return kept.length ? kept : pieces(unify(text));
  };
  const known = new Set(); // 索引里有的词：整个词有就不必拆开
  const latinTokens = (p) => (known.has(p) ? [p] : split(p));
  const pieceTokens = (p) => (CHINESE.test(p) ? (p.length > 1 ? bigrams(p) : [p]) : latinTokens(p));
  const queryTokens = (text) => [...new Set(queryPieces(text).flatMap(pieceTokens))];

  /* 一段汉字里有几个字被命中；一个拉丁词算两个字，长的算四个字，拆开后命中一部分就按部分算。 */
  function covered(piece, found) {
    if (CHINESE.test(piece))
      return [...piece].filter((c, i) => [c, piece.slice(i - 1, i + 1), piece.slice(i, i + 2)].some((t) => found.has(t)))
        .length;
    const parts = piece.split(/[._]/);
    const share = parts.filter((part) => found.has(part)).length / parts.length;
    return size(piece) * (found.has(piece) ? 1 : share);
  }
  const size = (piece) => (CHINESE.test(piece) ? piece.length : piece.length > 3 ? 4 : 2);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const coverage = (runs, terms) => {
    const found = new Set(terms);
    return sum(runs.map((run) => covered(run, found))) / sum(runs.map(size));
  };

  const isLatin = (term) => !CHINESE.test(term);
  const mini = new MiniSearch({
    fields: Object.keys(FIELDS),
    storeFields: ["weight"],
    tokenize: (text) => indexTokens(text).map((token) => known.add(token) && token),
    processTerm: (term) => term,
    searchOptions: {
      tokenize: queryTokens,
      boost: FIELDS,
      prefix: (term) => isLatin(term) && term.length > 1,
      fuzzy: (term) => (isLatin(term) && term.length > 5 ? 1 : false),
      boostDocument: (_id, _term, stored) => stored.weight,
    },
  });
  mini.addAll(entries.map((entry, id) => ({ id, ...entry })));
  const folded = entries.map((entry) => ({ title: unify(entry.title), terms: unify(entry.terms) }));

  /* 标题或术语里有整个词组的，往前排。 */
  const phraseBonus = (id, runs) => {
    const { title, terms } = folded[id];
    const wholeTitle = runs.join("") === pieces(title).join("") ? 2 : 1;
    const wholeTerm = runs.length === 1 && terms.split(" ").includes(runs[0]) ? 4 : 1;
    const inTitle = runs.filter((run) => run.length > 1 && title.includes(run)).length;
    return wholeTitle * wholeTerm * (1 + (0.5 * inTitle) / runs.length);
  };

  function find(query, limit = 10) {
    const runs = queryPieces(query);
    const needed = neededShare(sum(runs.map(size)), runs.length);
    return mini
      .search(query)
      .map((hit) => ({ ...hit, share: coverage(runs, hit.queryTerms) }))
      .filter((hit) => hit.share >= needed)
      .map((hit) => ({ ...entries[hit.id], score: hit.score * hit.share * phraseBonus(hit.id, runs), hits: hit.terms }))
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  /* 在原文里标出命中的字：返回与原文等长的 0/1 数组。 */
  function mark(text, hits) {
    const source = fold(text);
    const marks = new Uint8Array(text.length);
    for (const hit of hits)
      for (let at = source.indexOf(hit); at >= 0; at = source.indexOf(hit, at + 1)) marks.fill(1, at, at + hit.length);
    return marks;
  }

  /* 命中最多、又最靠前的一段。 */
  function bestStart(marks, length) {
    let sum = 0;
    let best = { sum: -1, start: 0 };
    for (let i = 0; i < marks.length; i++) {
      sum += marks[i] - (i >= length ? marks[i - length] : 0);
      if (sum > best.sum) best = { sum, start: Math.max(0, i - length + 1) };
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

  const highlight = (text, hits) => slices(text, mark(text, hits));

  function excerpt(entry, hits, length = 90) {
    const long = hits.filter((hit) => hit.length > 1);
    const useful = long.length ? long : hits;
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

  window.bookSearch = { find, excerpt, highlight };
})();
