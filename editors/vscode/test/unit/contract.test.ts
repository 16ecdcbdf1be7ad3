import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';

const root = path.join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const document = read('../../lsp/COMMANDS.md');
const contract = read('src/core/contract.ts');

/** What a pattern's first group matches in a text, sorted and without repetition. */
function all(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found]) => found ?? ''))].sort();
}

test('the contract has the commands of COMMANDS.md', () => {
  assert.deepEqual(all(contract, /^ {2}'(agentls\.[\w.]+)': \{/gm), all(document, /^### (agentls\.[\w.]+)$/gm));
});

/** What COMMANDS.md says below the heading of a command. */
function section(name: string): string {
  const [, text = ''] = document.split(`\n### ${name}\n`);
  const [own = ''] = text.split(/\n##/);
  const [, other] = /Arguments as of `([\w.]+)`/.exec(own) ?? [];
  return other ? section(other) : own;
}

/** The type of a command's argument, with the names of types that it is made of written out. */
function argumentOf(name: string): string {
  const [, text = ''] = contract.split(`'${name}': {`);
  const [, argument = ''] = /argument: ([^]*?);\s*result:/.exec(text) ?? [];
  const place = '{ uri: string; range: Range }';
  return argument.replace('Place', place).replace('Selection', '{ changeSet: string; uri?: string; hunk?: number }');
}

test('the contract has the arguments of COMMANDS.md', () => {
  for (const name of all(document, /^### (agentls\.[\w.]+)$/gm)) {
    assert.deepEqual(all(argumentOf(name), /(\w+)\??: /g), all(section(name), /^\| `(\w+)` \|/gm), name);
  }
});

test('the contract has the events of COMMANDS.md', () => {
  const [, events = ''] = document.split('## Events');
  const [, types = ''] = contract.split('export type Event =');
  assert.deepEqual(all(types, /'((?:run|index)\.\w+|changes)'/g), all(events, /^\| `([\w.]+)` \|/gm));
});

test('the manifest has a title for every command that a user can run', () => {
  const manifest = JSON.parse(read('package.json')) as { contributes: { commands: { command: string }[] } };
  const registered = all(read('src/commands.ts'), /^ {4}'(agentls\.[\w.]+)': /gm).filter(
    (name) => name !== 'agentls.reveal',
  );
  assert.deepEqual(manifest.contributes.commands.map(({ command }) => command).sort(), registered);
});

test('nothing in src/core knows the editor', () => {
  for (const name of readdirSync(path.join(root, 'src/core'))) {
    const imports = all(read(`src/core/${name}`), /^(?:import|export) [^;]*?from '([^']+)';/gm);
    assert.deepEqual(
      imports.filter((from) => !/^(node:|\.\/\w+\.ts$)/.test(from)),
      [],
      name,
    );
  }
});
