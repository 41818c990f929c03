import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { missingForPrivateSystem } from '@viassh/testing';
import t from 'tap';

/**
 * Runs a file of tests in a network of its own where that can be made, with nothing but loopback in it: tens of thousands of
 * connections then take no port away from the tests beside it.
 */
export async function runInOwnNetwork(file: URL): Promise<void> {
  const command = [process.execPath, ...process.execArgv, fileURLToPath(file)];
  const network = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const [first = '', ...rest] = [...((await missingForPrivateSystem()) === undefined ? network : []), ...command];
  void t.spawn(first, rest, {}, file.pathname.slice(file.pathname.lastIndexOf('/') + 1));
}
