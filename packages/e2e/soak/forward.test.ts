import { randomInt } from 'node:crypto';
import process from 'node:process';
import { mixedTraffic } from '../test/forward-traffic.ts';
import { onBothTransports } from '../test/both-transports.ts';
import { transports } from '../test/run-viassh.ts';
import { soakMinutes } from './soak-bench.ts';

const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));

onBothTransports(
  'forwards with mixed traffic and clients that die: all is whole, nothing stays',
  async (t, transport) => {
    t.comment(`VIASSH_SOAK_SEED=${seed}`);
    await mixedTraffic(t, transport, { ms: (soakMinutes / transports.length) * 60_000, seed });
  },
);
