/** What the setting agentls.navigation says: whether the index answers what other extensions answer too. */
export type Navigation = 'auto' | 'on' | 'off';

const script = ['javascript', 'javascriptreact', 'typescript', 'typescriptreact'];

/**
 * Extensions that bring a language server, and for which languages. (VS Code does not tell who provides what; asking
 * all of them would ask us too.)
 */
const servers: Record<string, string[]> = {
  'vscode.typescript-language-features': script,
  'vscode.html-language-features': ['html'],
  'vscode.css-language-features': ['css', 'scss', 'less'],
  'vscode.json-language-features': ['json', 'jsonc'],
  'vscode.markdown-language-features': ['markdown'],
  'golang.go': ['go'],
  'denoland.vscode-deno': script,
  'ms-python.vscode-pylance': ['python'],
  'ms-python.python': ['python'],
  'ms-pyright.pyright': ['python'],
  'detachhead.basedpyright': ['python'],
  'rust-lang.rust-analyzer': ['rust'],
  'redhat.java': ['java'],
  'oracle.oracle-java': ['java'],
  'ms-vscode.cpptools': ['c', 'cpp'],
  'llvm-vs-code-extensions.vscode-clangd': ['c', 'cpp'],
  'ms-dotnettools.csharp': ['csharp'],
  'shopify.ruby-lsp': ['ruby'],
  'bmewburn.vscode-intelephense-client': ['php'],
  'fwcd.kotlin': ['kotlin'],
  'scalameta.metals': ['scala'],
  'sumneko.lua': ['lua'],
  'mads-hartmann.bash-ide-vscode': ['shellscript'],
  'ziglang.vscode-zig': ['zig'],
  'ocamllabs.ocaml-platform': ['ocaml'],
  'haskell.haskell': ['haskell'],
  'redhat.vscode-yaml': ['yaml'],
  'tamasfe.even-better-toml': ['toml'],
};

/** Whether the index answers for files of a language, with these extensions installed. */
export function navigates(mode: Navigation, language: string, extensions: readonly string[]): boolean {
  if (mode !== 'auto') {
    return mode === 'on';
  }
  return !extensions.some((id) => servers[id.toLowerCase()]?.includes(language));
}
