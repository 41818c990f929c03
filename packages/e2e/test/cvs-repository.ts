import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeyPair, type Sshd, type SshdOptions, startSshd } from '@viassh/testing';
import { type ProgramRunOptions, reaching, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/** A folder on a server, and two people whose keys may use the repository in it and do nothing else. */
export interface CvsRepository {
  readonly sshd: Sshd;
  readonly folder: string;
  readonly people: readonly [CvsPerson, CvsPerson];
}

/** One of them. */
export interface CvsPerson {
  readonly key: KeyPair;
  /** In an environment where the printed recipe was read, and where viassh logs in by this person's key. */
  run(words: readonly string[], options?: ProgramRunOptions): Promise<Outcome>;
}

/** Starts the server, and takes the recipe and the accounts as viassh prints them. */
export async function startCvsRepository(
  stack: AsyncDisposableStack,
  scratch: string,
  transport: string,
  { destination = 't', ...options }: SshdOptions & { readonly destination?: string } = {},
): Promise<CvsRepository> {
  const sshd = stack.use(await startSshd({ authorize: false, ...options }));
  const folder = join(sshd.home, 'the repository');
  const recipe = join(scratch, 'recipe.sh');
  await writeFile(recipe, await printed(['recipe', 'cvs', destination.replace('PORT', `${sshd.port}`)]));
  const person = async (): Promise<CvsPerson> => {
    const key = await sshd.generateKey();
    await sshd.authorize(await printed(['account', 'cvs', '--directory', folder, `${key.file}.pub`]));
    const env = {
      ...reaching(sshd, transport),
      VIASSH_SSH_OPTIONS: JSON.stringify(['-F', sshd.configFile, '-i', key.file]),
      CVS_DIRECTORY: folder,
      HOME: scratch,
    };
    const run = async (words: readonly string[], given: ProgramRunOptions = {}): Promise<Outcome> =>
      await runProgram('sh', ['-c', '. "$0" && exec "$@"', recipe, ...words], { env, ...given });
    return { key, run };
  };
  return { sshd, folder, people: [await person(), await person()] };
}

/** What `viassh ARGS` prints. @throws Error when it fails */
export async function printed(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram('viassh', args);
  if (code !== 0) throw new Error(`viassh ${args.join(' ')}: ${stderr}`);
  return stdout.toString();
}
