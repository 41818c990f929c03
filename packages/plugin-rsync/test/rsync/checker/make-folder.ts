import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Fills a folder that a key is limited to, with ways out of it, and makes `outside` beside it. */
export async function makeFolder(parent: string): Promise<string> {
  const root = join(parent, 'root');
  await mkdir(join(root, 'folder/inner/deep'), { recursive: true });
  await mkdir(join(parent, 'outside'));
  const names = [
    'file',
    'with blank',
    "it's {a,b} $x",
    '-dash',
    'ünï¢ödé',
    'folder/inner/deep/leaf',
    '../outside/passwd',
  ];
  for (const name of names) await writeFile(join(root, name), `${name}\n`);
  await symlink('folder', join(root, 'inside-link'));
  await symlink('../outside', join(root, 'outside-link'));
  await symlink('../outside/passwd', join(root, 'outside-file'));
  await symlink('../outside/nothing', join(root, 'dangling'));
  return root;
}
