import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const CONTROL_SOCKET = 'control.sock'; // controlSocketName of @viassh/broker, which is not loaded to find that none is there

/**
 * Does somebody answer at the control socket? Where there is none, that is one look; a dead one costs a connection, and not
 * all that finding out takes what one would ask for.
 */
export async function brokerListens(runtimeFolder: string): Promise<boolean> {
  const path = join(runtimeFolder, CONTROL_SOCKET);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  const { connect } = process.getBuiltinModule('node:net'); // who becomes ssh has no use for it at its start
  return await new Promise((resolve) => {
    const socket = connect(path);
    const tell = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => tell(true)).once('error', () => tell(false));
  });
}
