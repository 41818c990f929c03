import { connect } from 'node:net';
import { join } from 'node:path';

const CONTROL_SOCKET = 'control.sock'; // controlSocketName of @viassh/broker, which is not loaded to find that none is there

/** Does somebody answer at the control socket? A look that is cheaper than finding out what one would ask for. */
export function brokerListens(runtimeFolder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(runtimeFolder, CONTROL_SOCKET));
    const tell = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => tell(true)).once('error', () => tell(false));
  });
}
