import type { ComplianceArea } from './compliance-case.ts';
import { codeOf, collect } from './collect.ts';

/** Transport: getting to a server, or not. */
export const reachingArea: ComplianceArea = {
  name: 'reaching the server',
  cases: [
    {
      name: 'it is available and says on what',
      run: async (t, { harness }) => {
        t.match(await harness.transport.available(), { ok: true, detail: /./ });
      },
    },
    ...(['tcp', 'proxy-command'] as const).map(
      (wire) =>
        ({
          name: `logs in and runs a command over a ${wire} wire`,
          run: async (t, { serve }) => {
            await using connection = await (await serve({ wire })).connect();
            const { stdout, exit } = await collect(
              await connection.openSession({ kind: 'exec', command: 'echo there; exit 3' }),
            );
            t.equal(stdout, 'there\n');
            t.strictSame(exit, { kind: 'status', code: 3 });
          },
        }) satisfies ComplianceArea['cases'][number],
    ),
    {
      name: 'nobody listens: CONNECTION_REFUSED',
      run: async (t, { serve }) => {
        const server = await serve();
        await server.cut();
        t.equal(await codeOf(server.connect()), 'CONNECTION_REFUSED');
      },
    },
    {
      name: 'something that is not SSH answers: PROTOCOL_ERROR, or SERVER_CLOSED when it also hangs up',
      run: async (t, { serve }) => {
        const server = await serve({ behaviour: 'not-ssh' });
        t.match(await codeOf(server.connect()), /^(PROTOCOL_ERROR|SERVER_CLOSED)$/);
      },
    },
    {
      name: 'the server hangs up at once: SERVER_CLOSED',
      run: async (t, { serve }) => {
        const server = await serve({ behaviour: 'closes' });
        t.equal(await codeOf(server.connect()), 'SERVER_CLOSED');
      },
    },
    {
      name: 'the server says nothing within ConnectTimeout: CONNECT_TIMEOUT',
      run: async (t, { serve }) => {
        const server = await serve({ behaviour: 'silent', connectTimeout: 1 });
        t.equal(await codeOf(server.connect()), 'CONNECT_TIMEOUT');
      },
    },
    {
      name: 'an abort before connect: ABORTED',
      run: async (t, { server }) => {
        t.equal(await codeOf((await server()).connect({ signal: AbortSignal.abort() })), 'ABORTED');
      },
    },
    {
      name: 'an abort right after connect was called: ABORTED',
      run: async (t, { server }) => {
        const controller = new AbortController();
        const connecting = codeOf((await server()).connect({ signal: controller.signal }));
        controller.abort();
        t.equal(await connecting, 'ABORTED');
      },
    },
    {
      name: 'an abort while the server keeps silent: ABORTED',
      run: async (t, { serve }) => {
        const server = await serve({ behaviour: 'silent' });
        const controller = new AbortController();
        const connecting = codeOf(server.connect({ signal: controller.signal }));
        await server.contacted;
        controller.abort();
        t.equal(await connecting, 'ABORTED');
      },
    },
    {
      name: 'an abort after connect was through leaves the connection alone',
      run: async (t, { server }) => {
        const controller = new AbortController();
        await using connection = await (await server()).connect({ signal: controller.signal });
        controller.abort();
        const { exit } = await collect(await connection.openSession({ kind: 'exec', command: 'exit 4' }));
        t.strictSame(exit, { kind: 'status', code: 4 });
      },
    },
  ],
};
