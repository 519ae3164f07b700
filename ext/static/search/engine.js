/* 检索：切词、打分、摘要。不碰页面，所以测试可以直接调用 bookSearch.find(查询)。

   有两个索引。一个是正文：标题、上级标题、正文、代码。另一个是说法：标题、术语表里的中英文名字、问法，一条一条地
   与查询比，两边互相覆盖得越多分越高；一节取最像的三条。覆盖率是查询里的字在这一节（正文与说法一起）找到了多少，
   越少见的字越重；覆盖得太少就不算找到。只用“神经网络”就说书里有“图神经网络”，是不诚实的：words.yml 的 outside
   列出这类主题，它们的字不算找到。 */
(() => {
  "use strict";
  const { entries, synonyms, stopwords, generic, outside } = window.bookSearchIndex;

  // ---------------------------------------------------------------- 用 tests/search_queries.yml 调出来的数

  const BODY = { title: 2, parents: 1.5, text: 1, code: 0.3 }; // 正文里各部分的权重
  const NAME_WEIGHT = 2; // 说法的分数比正文的重这么多
  const NEXT_NAME = 0.3; // 一节里第二像、第三像的说法依次打这个折
  const EXACT = 3; // 一字不差的说法乘这个数
  const SINGLE_CHAR = 0.1; // 与说法比的时候，单个的字的分量
  const NAME_BM25 = { k: 1.2, b: 0.5, d: 0.5 }; // 说法都很短，长短的差别不要紧
  const GENERIC_WEIGHT = 0.25; // “怎么”“方法”一类泛泛的词，覆盖率里的分量
  const HALF_FOUND = 0.5; // 两个字一组没有找到、单个的字找到了
  const NEEDED = { most: 0.65, least: 0.4, perChar: 0.05, from: 6 }; // 要覆盖多少：六个字以内最严，每多一字放宽
  const LATIN_SIZE = { long: 4, short: 2, from: 4 }; // 一个拉丁词算几个汉字，几个字母起算长的
  const PREFIX_FROM = 2; // 这么多字母起，可以只打开头
  const FUZZY_FROM = 5; // 这么多字母起，可以错一个
  const EXCERPT = { length: 90, tail: 20, back: 30 }; // 摘要的长短；命中处后面至少留多少，往前最多退多少

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
      return { char, weight: (rarity(char) / 2) * (light[i] ? GENERIC_WEIGHT : 1), matches: around.length ? around : [char] };
    });
  }
  const latinUnits = (run) =>
    atoms(run).map((atom) => ({
      weight: rarity(atom) * (atom.replace(GENERIC, "") ? 1 : GENERIC_WEIGHT),
      matches: [atom, stem(lower(run))],
    }));
  const runUnits = (run) => {
    if (run[0] === ABSENT) return [{ weight: (rarity(ABSENT) / 2) * run.length, matches: [] }];
    return isHan(run) ? hanUnits(run) : latinUnits(run);
  };
  const unitsOf = (text) => meaningful(text).flatMap(runUnits);
  function coverage(units, tokens) {
    const found = ({ matches, char }) =>
      matches.some((token) => tokens.has(token)) ? 1 : tokens.has(char) ? HALF_FOUND : 0;
    return sum(units.map((unit) => unit.weight * found(unit))) / (sum(units.map((unit) => unit.weight)) || 1);
  }

  /* 至少要找到这么多才算数；话越长，与书里的说法差得越多，要求越低。 */
  const size = (run) =>
    isHan(run) || run[0] === ABSENT ? run.length : run.length >= LATIN_SIZE.from ? LATIN_SIZE.long : LATIN_SIZE.short;
  function neededShare(query) {
    const extra = sum(meaningful(query).map(size)) - NEEDED.from;
    return Math.max(NEEDED.least, Math.min(NEEDED.most, NEEDED.most - NEEDED.perChar * extra));
  }

  // ---------------------------------------------------------------- 两个索引：正文，与标题、术语、问法

  const searchOptions = {
    tokenize: queryTokens,
    prefix: (token) => !isHan(token) && token.length >= PREFIX_FROM,
    fuzzy: (token) => (!isHan(token) && token.length >= FUZZY_FROM ? 1 : false),
  };
  const create = (fields, tokenize, options) =>
    new MiniSearch({ fields, tokenize, processTerm: (term) => term, searchOptions: { ...searchOptions, ...options } });
  const bodies = create(Object.keys(BODY), bodyTokens, { boost: BODY });
  bodies.addAll(entries.map((entry, id) => ({ id, ...entry })));
  const names = entries.flatMap((entry, owner) => namesOf(entry).map((name) => ({ owner, name, units: unitsOf(name) })));
  const named = create(["name"], nameTokens, {
    tokenize: withChars,
    boostTerm: (token) => (isHan(token) && token.length === 1 ? SINGLE_CHAR : 1),
    bm25: NAME_BM25,
  });
  named.addAll(names.map(({ name }, id) => ({ id, name })));

  // ---------------------------------------------------------------- 打分

  /* 一条问法的分数：两边互相覆盖得越多越高，一字不差的再加重。 */
  function nameScore({ score, queryTerms, terms }, units, nameUnits) {
    const ofQuery = coverage(units, new Set(queryTerms));
    const ofName = coverage(nameUnits, new Set(terms));
    return score * ofQuery * Math.sqrt(ofName) * (Math.min(ofQuery, ofName) > 0.999 ? EXACT : 1);
  }

  /* 每一小节：正文的分数，与最像的三条问法的分数（后面的逐条打折）。 */
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
        const score = (body + NAME_WEIGHT * (first + NEXT_NAME * (second + NEXT_NAME * third))) * share ** 2;
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

  function excerpt(entry, hits, { length, tail, back } = EXCERPT) {
    const useful = visible(hits);
    const inText = mark(entry.text, useful).some(Boolean);
    const text = inText || !mark(entry.code, useful).some(Boolean) ? entry.text : entry.code;
    const marks = mark(text, useful);
    const focus = bestStart(marks, length - tail);
    const first = marks.indexOf(1, focus);
    // 从命中处往回退到上一个句读，让摘要从一句话的开头读起
    const from = Math.max(0, (first < 0 ? 0 : first) - back);
    const stop = text.slice(from, Math.max(first, 0)).search(/[。；：！？][^。；：！？]*$/);
    const start = stop >= 0 ? from + stop + 1 : from;
    const parts = slices(text.slice(start, start + length), marks.slice(start, start + length));
    if (start > 0 && stop < 0) parts.unshift(["…", false]);
    if (start + length < text.length) parts.push(["…", false]);
    return parts;
  }

  window.bookSearch = { find, unknown, excerpt, highlight };
})();
