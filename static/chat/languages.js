/**
 * The languages that code is highlighted in: the addresses of their grammars, which the worker loads, their other
 * names, and the languages inside them. `tests/js/languages.test.js` holds all of it equal to the package.
 */

/** The server writes each address with the file's hash (wondercam/staticfiles.py). @type {Record<string, string>} */
export const ADDRESSES = {
  bash: import.meta.resolve("../vendor/highlight/languages/bash.min.js"),
  c: import.meta.resolve("../vendor/highlight/languages/c.min.js"),
  cpp: import.meta.resolve("../vendor/highlight/languages/cpp.min.js"),
  csharp: import.meta.resolve("../vendor/highlight/languages/csharp.min.js"),
  css: import.meta.resolve("../vendor/highlight/languages/css.min.js"),
  dart: import.meta.resolve("../vendor/highlight/languages/dart.min.js"),
  diff: import.meta.resolve("../vendor/highlight/languages/diff.min.js"),
  dockerfile: import.meta.resolve("../vendor/highlight/languages/dockerfile.min.js"),
  elixir: import.meta.resolve("../vendor/highlight/languages/elixir.min.js"),
  go: import.meta.resolve("../vendor/highlight/languages/go.min.js"),
  graphql: import.meta.resolve("../vendor/highlight/languages/graphql.min.js"),
  haskell: import.meta.resolve("../vendor/highlight/languages/haskell.min.js"),
  ini: import.meta.resolve("../vendor/highlight/languages/ini.min.js"),
  java: import.meta.resolve("../vendor/highlight/languages/java.min.js"),
  javascript: import.meta.resolve("../vendor/highlight/languages/javascript.min.js"),
  json: import.meta.resolve("../vendor/highlight/languages/json.min.js"),
  julia: import.meta.resolve("../vendor/highlight/languages/julia.min.js"),
  kotlin: import.meta.resolve("../vendor/highlight/languages/kotlin.min.js"),
  latex: import.meta.resolve("../vendor/highlight/languages/latex.min.js"),
  less: import.meta.resolve("../vendor/highlight/languages/less.min.js"),
  lua: import.meta.resolve("../vendor/highlight/languages/lua.min.js"),
  makefile: import.meta.resolve("../vendor/highlight/languages/makefile.min.js"),
  markdown: import.meta.resolve("../vendor/highlight/languages/markdown.min.js"),
  matlab: import.meta.resolve("../vendor/highlight/languages/matlab.min.js"),
  nginx: import.meta.resolve("../vendor/highlight/languages/nginx.min.js"),
  objectivec: import.meta.resolve("../vendor/highlight/languages/objectivec.min.js"),
  perl: import.meta.resolve("../vendor/highlight/languages/perl.min.js"),
  php: import.meta.resolve("../vendor/highlight/languages/php.min.js"),
  "php-template": import.meta.resolve("../vendor/highlight/languages/php-template.min.js"),
  powershell: import.meta.resolve("../vendor/highlight/languages/powershell.min.js"),
  protobuf: import.meta.resolve("../vendor/highlight/languages/protobuf.min.js"),
  python: import.meta.resolve("../vendor/highlight/languages/python.min.js"),
  "python-repl": import.meta.resolve("../vendor/highlight/languages/python-repl.min.js"),
  r: import.meta.resolve("../vendor/highlight/languages/r.min.js"),
  ruby: import.meta.resolve("../vendor/highlight/languages/ruby.min.js"),
  rust: import.meta.resolve("../vendor/highlight/languages/rust.min.js"),
  scala: import.meta.resolve("../vendor/highlight/languages/scala.min.js"),
  scss: import.meta.resolve("../vendor/highlight/languages/scss.min.js"),
  shell: import.meta.resolve("../vendor/highlight/languages/shell.min.js"),
  sql: import.meta.resolve("../vendor/highlight/languages/sql.min.js"),
  swift: import.meta.resolve("../vendor/highlight/languages/swift.min.js"),
  typescript: import.meta.resolve("../vendor/highlight/languages/typescript.min.js"),
  vbnet: import.meta.resolve("../vendor/highlight/languages/vbnet.min.js"),
  wasm: import.meta.resolve("../vendor/highlight/languages/wasm.min.js"),
  xml: import.meta.resolve("../vendor/highlight/languages/xml.min.js"),
  yaml: import.meta.resolve("../vendor/highlight/languages/yaml.min.js"),
};

/** @type {Record<string, string>} */
const ALIASES = {
  bash: "sh zsh",
  c: "h",
  cpp: "cc c++ h++ hpp hh hxx cxx",
  csharp: "cs c#",
  diff: "patch",
  dockerfile: "docker",
  elixir: "ex exs",
  go: "golang",
  graphql: "gql",
  haskell: "hs",
  ini: "toml",
  java: "jsp",
  javascript: "js jsx mjs cjs",
  json: "jsonc json5",
  kotlin: "kt kts ktm ktx",
  latex: "tex",
  lua: "pluto",
  makefile: "mk mak make",
  markdown: "md mkdown mkd",
  nginx: "nginxconf",
  objectivec: "mm objc obj-c obj-c++ objective-c++",
  perl: "pl pm",
  powershell: "pwsh ps ps1",
  protobuf: "proto",
  python: "py gyp ipython",
  "python-repl": "pycon",
  ruby: "rb gemspec podspec thor irb",
  rust: "rs",
  shell: "console shellsession",
  typescript: "ts tsx mts cts",
  vbnet: "vb",
  xml: "html xhtml rss atom xjb xsd xsl plist wsf svg",
  yaml: "yml",
};

/** @type {Record<string, string[]>} */
const INSIDE = {
  dart: ["markdown"],
  dockerfile: ["bash"],
  javascript: ["xml", "css", "graphql"],
  markdown: ["xml"],
  "php-template": ["xml", "php"],
  "python-repl": ["python"],
  shell: ["bash"],
  typescript: ["xml", "css", "graphql"],
  xml: ["css", "javascript"],
  yaml: ["ruby"],
};

/** Alias → language. */
const MEANT = new Map(
  Object.entries(ALIASES).flatMap(([name, aliases]) => aliases.split(" ").map((each) => [each, name])),
);

/** The language that is meant, and all that can stand inside it; empty for an unknown one. @param {string} said */
export function languagesOf(said) {
  const wanted = said.toLowerCase();
  const found = new Set([MEANT.get(wanted) ?? wanted].filter((name) => Object.hasOwn(ADDRESSES, name)));
  for (const name of found) for (const inner of INSIDE[name] ?? []) found.add(inner);
  return [...found];
}
