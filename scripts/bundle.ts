/**
 * Makes the `viassh` command out of all packages and what they stand on: a few files in place of hundreds, the parts that
 * `builtin.ts` loads lazily in files of their own. `node scripts/bundle.ts` writes packages/cli/bundle. Why: decision 6.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'packages/cli/bundle');
const addon = 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node';
/** What modules of the old kind find around them. */
const commonjs = `const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url);`;

rmSync(outdir, { recursive: true, force: true });
/** What the remote shell loads when it does not become ssh. */
const apart = ['programs/remote-shell-spoken', 'terminal/report', 'programs/run-ssh', 'programs/raw-words'].map(
  (name) => ({
    in: `packages/cli/src/${name}.ts`,
    out: basename(name),
  }),
);
const common = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  conditions: ['@viassh/source'],
  mainFields: ['module', 'main'],
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none', // the licences are in a file of their own, whole
  minifySyntax: true,
  write: false as const,
} satisfies BuildOptions;
const { metafile, outputFiles } = await build({
  ...common,
  entryPoints: [
    { in: 'packages/cli/src/main.ts', out: 'main' },
    ...apart,
    // Named, so that a stack trace tells what it was, and a test can take one away.
    ...globSync('packages/{plugin,transport}-*/src/index.ts', { cwd: root }).map(part),
    part('packages/demo/src/index.ts'),
  ],
  external: ['cpu-features'], // ssh2 asks for it and does without
  splitting: true,
  banner: { js: commonjs },
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  plugins: [ssh2Parts(), koffiApart(), plainWidth()],
  metafile: true,
});
// One file, and nothing in it but what is run before ssh takes over: the start counts at every call.
const remoteShell = await build({
  ...common,
  entryPoints: [{ in: 'packages/cli/src/viassh-ssh.ts', out: 'viassh-ssh' }],
  plugins: [partsApart()],
});
mkdirSync(outdir);
for (const { path, text } of [...outputFiles, ...remoteShell.outputFiles]) {
  writeFileSync(path, path.endsWith('.js') ? withoutFacades(text) : text, {
    mode: /\/(?:main|viassh-ssh)\.js$/.test(path) ? 0o755 : 0o644,
  });
}
writeFileSync(join(outdir, 'LICENSES.txt'), licences(metafile));

function part(file: string): { in: string; out: string } {
  return { in: file, out: file.split('/')[1] ?? '' };
}

/** Those of `apart` stay files of their own; of the parts that `builtin.ts` names, one is loaded. */
function partsApart(): Plugin {
  return {
    name: 'parts apart',
    setup(own) {
      own.onResolve({ filter: /./ }, ({ path, kind }) => {
        if (kind !== 'dynamic-import' || path === '@viassh/plugin-rsync/personality') return undefined;
        const part = apart.find(({ out }) => basename(path, '.ts') === out);
        return { path: part === undefined ? path : `./${part.out}.js`, external: true };
      });
    },
  };
}

/**
 * ssh2 as the client needs it: its addon stays where npm built it; of its index only what is used, not the server, the
 * key generator and the agents for http.
 */
function ssh2Parts(): Plugin {
  return {
    name: 'ssh2',
    setup(own) {
      own.onResolve({ filter: /\/sshcrypto\.node$/ }, () => ({ path: 'addon', namespace: 'ssh2' }));
      own.onLoad({ filter: /^addon$/, namespace: 'ssh2' }, () => ({
        contents: `const { createRequire } = require('node:module');
          module.exports = createRequire(require.resolve('@viassh/transport-ssh2'))('${addon}');`,
      }));
      // Own `require` of a module: the bundle's copy of ssh2, not a second one.
      own.onLoad({ filter: /packages\/transport-ssh2\/src\/.*\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8').replace(
          /^const require = createRequire\(import\.meta\.url\);$/m,
          '',
        );
        if (contents.includes('createRequire('))
          throw new Error(`${path}: a require of another form than the bundle knows`);
        return { contents, loader: 'ts' };
      });
      own.onResolve({ filter: /^ssh2$/ }, ({ importer }) =>
        importer.includes('/transport-ssh2/') ? { path: 'client', namespace: 'ssh2', pluginData: importer } : undefined,
      );
      own.onLoad({ filter: /^client$/, namespace: 'ssh2' }, ({ pluginData }) => ({
        contents: `const { parseKey } = require('ssh2/lib/protocol/keyParser.js');
          module.exports = { Client: require('ssh2/lib/client.js'), utils: { parseKey }, ...require('ssh2/lib/agent.js') };`,
        resolveDir: dirname(String(pluginData)),
      }));
    },
  };
}

/** koffi stays where npm put it, with its addon; it is looked for when a device is opened, and only then. */
function koffiApart(): Plugin {
  return {
    name: 'koffi',
    setup(own) {
      own.onResolve({ filter: /^koffi$/ }, () => ({ path: 'koffi', namespace: 'koffi' }));
      own.onLoad({ filter: /^koffi$/, namespace: 'koffi' }, () => ({
        contents: `const { createRequire } = require('node:module');
          module.exports = createRequire(require.resolve('@viassh/linux'))('koffi');`,
      }));
    },
  };
}

/** yargs measures words by Unicode segments, which costs 20 ms at every start; what it lays out here is ours, and ASCII. */
function plainWidth(): Plugin {
  return {
    name: 'plain width',
    setup(own) {
      own.onResolve({ filter: /^string-width$/ }, () => ({ path: 'width', namespace: 'plain' }));
      own.onLoad({ filter: /^width$/, namespace: 'plain' }, () => ({
        contents: `import { stripVTControlCharacters } from 'node:util';
          export default (text) => stripVTControlCharacters(text).length;`,
      }));
    },
  };
}

/**
 * An ESM import of a module of Node's own reads all its exports, which loads more of Node: 10 ms in all at a start. The
 * same lines as declarations; their number stays, for the source maps.
 */
function withoutFacades(code: string): string {
  return code.replace(/^import ([^"';]+?) from "([^"]+)";$/gm, (line, names: string, module: string) => {
    if (!isBuiltin(module)) return line;
    const bindings = names.replace(/^\* as /, '').replace(/ as /g, ': ');
    if (/^\w+, /.test(bindings)) throw new Error(`an import of two kinds: ${line}`);
    return `const ${bindings} = globalThis.process.getBuiltinModule("${module}");`;
  });
}

/** The licence texts of everything from npm that went into the bundle. */
function licences({ inputs }: Metafile): string {
  const folders = new Set(
    Object.keys(inputs).flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
  );
  return [...folders]
    .map((folder) => {
      const path = resolve(root, folder);
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Record<string, unknown>;
      const [file] = globSync('{LICEN[SC]E,licen[sc]e,COPYING}*', { cwd: path });
      if (file === undefined || !existsSync(join(path, file)))
        throw new Error(`${relative(root, path)} has no licence`);
      const text = readFileSync(join(path, file), 'utf8').trim();
      return `${String(manifest['name'])} ${String(manifest['version'])}\n\n${text}\n`;
    })
    .toSorted()
    .join(`\n${'-'.repeat(72)}\n\n`);
}
