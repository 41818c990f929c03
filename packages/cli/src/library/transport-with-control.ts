import { ViasshError } from '@viassh/core';

/**
 * The transport that is meant, once it is known whether a control socket was named: that is the one of `control`.
 *
 * @throws ViasshError USAGE when one is named without the other, or the socket is empty
 */
export function transportWithControl(transport: string, control: string | undefined): string {
  if (control === undefined && transport !== 'control') return transport;
  if (control === undefined || control === '') {
    throw new ViasshError('USAGE', 'the control transport wants the path of a control socket', {
      hint: '--control PATH, as given to ssh -M -S PATH',
    });
  }
  if (transport === 'auto' || transport === 'control') return 'control';
  throw new ViasshError('USAGE', `--control is a transport of its own and does not go with --transport ${transport}`, {
    hint: 'leave one of the two away',
  });
}
