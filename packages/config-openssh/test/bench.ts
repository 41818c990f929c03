import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseDestination, type ResolvedDestination, type TypedOptions } from '@viassh/core';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import type { Test } from 'tap';
import { createLocalPrograms } from './local-programs.ts';

/** A folder with an ssh_config, and ways to resolve by it with ssh and without. */
export interface Bench {
  readonly folder: string;
  readonly configFile: string;
  /** By the ssh of this machine; its home is the real one. */
  withSsh(
    destination: string,
    typed?: TypedOptions,
    variables?: Readonly<Record<string, string>>,
  ): Promise<ResolvedDestination>;
  /** Where no ssh is; home is the bench’s folder. */
  withoutSsh(destination: string, typed?: TypedOptions, home?: string): Promise<ResolvedDestination>;
}

const noSuchProgram = 'viassh-test-no-such-ssh';

export async function createBench(t: Pick<Test, 'teardown'>, config = ''): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-config-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const configFile = join(folder, '.ssh', 'config');
  await mkdir(join(folder, '.ssh'));
  await writeFile(configFile, config.replaceAll('@FOLDER@', folder));
  const { homedir, username } = userInfo();
  const programs = createLocalPrograms();
  return {
    folder,
    configFile,
    withSsh: (destination, typed = { configFile }, variables = {}) =>
      createOpensshConfigSource({ programs, environment: { home: homedir, user: username, variables } }).resolve(
        parseDestination(destination),
        typed,
      ),
    withoutSsh: (destination, typed = {}, home = folder) =>
      createOpensshConfigSource({
        programs,
        environment: { home, user: username, variables: {} },
        sshFile: noSuchProgram,
      }).resolve(parseDestination(destination), typed),
  };
}
