import type { Connection } from '@viassh/core';
import { codeOf } from '../compliance/collect.ts';
import type { FaultArea, FaultBench, FaultCase } from './fault-case.ts';
import type { WireCut, WireDirection, WirePoint } from './wire-conditions.ts';

const MOST_TURNS = 12;

const points: readonly (readonly [string, WirePoint, WireCut['how']])[] = [
  ['before the server says anything', { direction: 'toClient', phase: 'ident' }, 'fin'],
  ['before the client says anything', { direction: 'toServer', phase: 'ident' }, 'rst'],
  ["inside the server's version", { direction: 'toClient', phase: 'ident', offset: 6 }, 'fin'],
  ["before the server's KEXINIT", { direction: 'toClient', phase: 'kexinit' }, 'rst'],
  ["inside the server's KEXINIT", { direction: 'toClient', phase: 'kexinit', offset: 100 }, 'fin'],
  ["before the client's KEXINIT", { direction: 'toServer', phase: 'kexinit' }, 'fin'],
  ["before the client's key exchange", { direction: 'toServer', phase: 'kex' }, 'fin'],
  ["before the server's key exchange", { direction: 'toClient', phase: 'kex' }, 'rst'],
  ["inside the server's key exchange", { direction: 'toClient', phase: 'kex', offset: 50 }, 'fin'],
  ["before the server's NEWKEYS", { direction: 'toClient', phase: 'newkeys' }, 'fin'],
  ["before the client's NEWKEYS", { direction: 'toServer', phase: 'newkeys' }, 'rst'],
];

/** The wire is cut before the login is done. */
export const cutLoginArea: FaultArea = {
  name: 'cut in login',
  cases: [
    ...points.map(
      ([where, point, how]): FaultCase => ({
        name: `${where} (${how}): SERVER_CLOSED`,
        run: async (t, bench) => {
          t.equal(await cutAt(bench, point, how), 'SERVER_CLOSED');
        },
      }),
    ),
    sweep('toServer', 'fin'),
    sweep('toClient', 'rst'),
  ],
};

/** One login after the other, each cut at a later turn, until one goes through. */
function sweep(direction: WireDirection, how: WireCut['how']): FaultCase {
  return {
    name: `before each encrypted turn ${direction} (${how}): SERVER_CLOSED`,
    run: async (t, bench) => {
      const codes: string[] = [];
      for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
        const code = await cutAt(bench, { direction, turn }, how);
        if (code === 'connected') break;
        codes.push(code);
      }
      t.ok(codes.length >= 1 && codes.length < MOST_TURNS, `${codes.length} turns`);
      t.strictSame([...new Set(codes)], ['SERVER_CLOSED']);
    },
  };
}

async function cutAt({ relay, connect }: FaultBench, point: WirePoint, how: WireCut['how']): Promise<string> {
  const own = await relay();
  let cut = false;
  own.at(point, (wire) => {
    cut = true;
    wire.cut({ how });
  });
  const connecting: Promise<Connection> = connect(own);
  const code = await codeOf(connecting);
  if (code === 'no error at all') {
    await (await connecting).close();
    return 'connected';
  }
  return cut ? code : `not cut, but ${code}`;
}
