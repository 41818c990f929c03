/**
 * Keeps what all packages share the same in each of them: manifest fields and tsconfig references.
 * `node scripts/normalize-packages.ts` writes, `--check` only compares and exits 1 on a difference.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = Record<string, unknown> & {
  exports?: Record<string, unknown>;
  name: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
};

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const version = '0.1.0';
const folders = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
);
const manifests = new Map(folders.map((folder) => [folder, read(join(root, 'packages', folder, 'package.json'))]));
const folderOf = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]));
let differences = 0;

for (const [folder, manifest] of manifests) {
  put(
    join('packages', folder, 'package.json'),
    manifest.private === true ? shared(manifest) : published(folder, manifest),
  );
  if (hasSources(folder)) put(join('packages', folder, 'tsconfig.json'), tsconfig(manifest));
}
put('tsconfig.json', {
  files: [],
  references: folders.filter(hasSources).map((folder) => ({ path: `packages/${folder}` })),
});
if (differences > 0) {
  console.error(`${differences} file(s) differ from the house's template; run: node scripts/normalize-packages.ts`);
  process.exitCode = 1;
}

function shared(manifest: Manifest): Manifest {
  return { ...manifest, version, license: 'MIT', type: 'module', engines: { node: '>=22.18' } };
}

function published(folder: string, manifest: Manifest): Manifest {
  const { name, description, bin, dependencies, devDependencies, peerDependencies, optionalDependencies, ...rest } =
    manifest;
  const exports = {
    '.': { '@viassh/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  };
  return defined({
    name,
    version,
    description,
    keywords: ['ssh', 'tunnel', 'viassh'],
    license: 'MIT',
    repository: { type: 'git', url: 'git+https://github.com/viassh/viassh.git', directory: `packages/${folder}` },
    type: 'module',
    engines: { node: '>=22.18' },
    bin,
    exports: rest.exports && Object.keys(rest.exports).length > 2 ? { ...rest.exports, ...exports } : exports,
    files: [
      'dist',
      'src',
      '!dist/*.tsbuildinfo',
      ...(bin === undefined ? [] : ['bundle']),
      ...extraFiles(rest.exports),
    ],
    sideEffects: false,
    publishConfig: { access: 'public' },
    dependencies,
    peerDependencies,
    peerDependenciesMeta: rest['peerDependenciesMeta'],
    optionalDependencies,
    devDependencies,
  }) as Manifest;
}

/** What is exported and stands beside `src`. */
function extraFiles(exports: Record<string, unknown> = {}): string[] {
  return Object.values(exports).flatMap((target) =>
    typeof target === 'string' && target !== './package.json' ? target.replace('./', '') : [],
  );
}

function tsconfig(manifest: Manifest): object {
  const wanted = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const references = wanted.flatMap((name) => folderOf.get(name) ?? []).map((folder) => ({ path: `../${folder}` }));
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src'],
    references,
  };
}

function hasSources(folder: string): boolean {
  return existsSync(join(root, 'packages', folder, 'src'));
}

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function read(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}

function put(file: string, content: object): void {
  const path = join(root, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (before !== '' && JSON.stringify(JSON.parse(before)) === JSON.stringify(content)) return;
  differences += 1;
  if (check) console.error(`differs: ${file}`);
  else {
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
    differences -= 1;
  }
}
