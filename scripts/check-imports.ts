/**
 * Holds every import of every package against the table of ARCHITECTURE.md, "Who may import whom": packages, Node
 * modules that core must not use, and the layers inside core. Prints each offence, exits 1 when there is one.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { build } from 'esbuild';

interface Rule {
  /** Packages beside `node:` that sources may name; a trailing `*` matches a prefix. */
  readonly packages: readonly string[];
  /** Node modules that they must not. */
  readonly withoutNode?: readonly string[];
  /** Only this file may name packages that begin so. */
  readonly onlyIn?: readonly { readonly file: string; readonly packages: readonly string[] }[];
}

const root = join(import.meta.dirname, '..');
const plugins = ['@viassh/linux', '@viassh/plugin-*', '@viassh/transport-*', '@viassh/demo'];
const rules: Readonly<Record<string, Rule>> = {
  core: { packages: [], withoutNode: ['node:child_process', 'node:process'] },
  program: { packages: ['@viassh/core', 'execa'] },
  broker: {
    packages: ['@viassh/core', 'ajv', 'prom-client', 'yaml'],
    withoutNode: ['node:child_process', 'node:process'],
  },
  'config-openssh': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process'] },
  'transport-openssh': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process'] },
  'transport-ssh2': {
    packages: ['@viassh/core', 'ssh2', 'ssh2/*'],
    withoutNode: ['node:child_process', 'node:process'],
  },
  'plugin-forward': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process'] },
  'plugin-imap': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process', 'node:net'] },
  'plugin-rsync': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process', 'node:net'] },
  'plugin-smtp': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process', 'node:net'] },
  'plugin-x11': { packages: ['@viassh/core'], withoutNode: ['node:child_process', 'node:process'] },
  'plugin-ppp': {
    packages: ['@viassh/core', '@viassh/linux'],
    withoutNode: ['node:child_process', 'node:process', 'node:net'],
  },
  linux: { packages: ['@viassh/core', 'koffi'], withoutNode: ['node:child_process'] },
  demo: { packages: ['@viassh/core', 'ssh2'], withoutNode: ['node:child_process', 'node:process'] },
  testing: { packages: ['@viassh/core', '@viassh/program', 'tap'] },
  cli: {
    packages: ['@viassh/broker', '@viassh/core', '@viassh/program', '@viassh/config-openssh', 'undici', 'yargs'],
    onlyIn: [{ file: 'src/builtin.ts', packages: plugins }],
  },
};

/** Folders of core from the bottom up: a file may import from its own folder and from those in earlier rows. */
const coreLayers = [
  ['errors', 'log'],
  ['quoting', 'destination'],
  ['host-key', 'proxy'],
  ['connection'],
  ['program', 'endpoint'],
  ['transport'],
  ['supervisor'],
  ['plugin'],
];

const offences: string[] = [];
const files = globSync('packages/*/src/**/*.ts', { cwd: root }).toSorted();
const statements = await importStatements(files);
for (const file of files) {
  const [, name = '', ...rest] = file.split(sep);
  const rule = rules[name];
  if (rule === undefined) offences.push(`${file}: the package ${name} has no rule in scripts/check-imports.ts`);
  else
    for (const specifier of new Set([
      ...(statements.get(file) ?? []),
      ...calledImports(readFileSync(join(root, file), 'utf8')),
    ]))
      check(file, rest.join('/'), name, rule, specifier);
}
for (const offence of offences) console.error(offence);
if (offences.length > 0) process.exitCode = 1;

function check(file: string, inside: string, name: string, rule: Rule, specifier: string): void {
  if (specifier.startsWith('node:')) {
    if (rule.withoutNode?.includes(specifier) === true) offences.push(`${file}: ${name} must not import ${specifier}`);
  } else if (specifier.startsWith('.')) {
    const target = relative(join(root, 'packages', name), join(root, dirname(file), specifier));
    if (target.startsWith('..')) offences.push(`${file}: reaches into another package: ${specifier}`);
    else if (name === 'core') checkLayer(file, inside, target);
  } else {
    const extra = rule.onlyIn?.filter((only) => only.file === inside).flatMap((only) => only.packages) ?? [];
    if (![...rule.packages, ...extra].some((allowed) => matches(allowed, specifier)))
      offences.push(`${file}: ${name} must not import ${specifier}`);
  }
}

function checkLayer(file: string, inside: string, target: string): void {
  const [from, to] = [folderOf(inside), folderOf(target)];
  if (from === to || from === 'index.ts') return;
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
  if (fromLayer < 0) offences.push(`${file}: the folder ${from} has no layer in scripts/check-imports.ts`);
  else if (toLayer >= fromLayer) offences.push(`${file}: core imports downwards only, not from ${from} to ${to}`);
}

function folderOf(inside: string): string {
  return inside.split('/')[1] ?? '';
}

function layerOf(folder: string): number {
  return coreLayers.findIndex((layer) => layer.includes(folder));
}

function matches(allowed: string, specifier: string): boolean {
  return allowed.endsWith('*') ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed;
}

/** Specifiers of imports and re-exports, also of types, by file; what only looks like one in the text of a script is none. */
async function importStatements(entryPoints: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { metafile } = await build({
    entryPoints: [...entryPoints],
    absWorkingDir: root,
    outdir: 'none',
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'each file by itself',
        setup(builder) {
          builder.onResolve({ filter: /.*/ }, ({ kind, path }) =>
            kind === 'entry-point' ? undefined : { path, external: true },
          );
          builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            contents: withTypes(readFileSync(path, 'utf8')),
            loader: 'ts',
          }));
        },
      },
    ],
  });
  return new Map(Object.entries(metafile.inputs).map(([file, { imports }]) => [file, imports.map(({ path }) => path)]));
}

/** Imports of types as imports of values: esbuild forgets the others. */
function withTypes(source: string): string {
  return source
    .replace(/^import type (?=[\w{*])/gm, 'import ')
    .replace(/^export type (?=(?:\{[^}]*\}|\*[^;]*) from )/gm, 'export ');
}

/** Specifiers of `import()`, in types too, and `require()`. */
function calledImports(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g)].flatMap((match) => match[1] ?? []);
}
