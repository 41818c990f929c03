import { once } from 'node:events';
import { mock } from 'node:test';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { makePuppet, runImap } from './run-imap.ts';

const HOUR = 3_600_000;

t.test(
  'a day of IDLE: nothing is put into the stream, nothing runs out, and the mail of the next day comes',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.teardown(() => mock.timers.reset());
    const puppet = makePuppet();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const said: Buffer[] = [];
    const heard: Buffer[] = [];
    puppet.received.on('data', (chunk: Buffer) => said.push(chunk));
    output.on('data', (chunk: Buffer) => heard.push(chunk));
    const run = runImap({}, { transport: puppet.transport, input, output });
    await puppet.started;
    puppet.output.write('* PREAUTH hi\r\n');
    await once(output, 'data');
    input.write('a IDLE\r\n');
    await once(puppet.received, 'data');
    puppet.output.write('+ idling\r\n');
    await once(output, 'data');
    for (let hour = 0; hour < 24; hour += 1) {
      mock.timers.tick(HOUR);
      await new Promise(setImmediate);
    }
    t.equal(Buffer.concat(said).toString(), 'a IDLE\r\n');
    t.equal(Buffer.concat(heard).toString(), '* PREAUTH hi\r\n+ idling\r\n');
    puppet.output.write('* 4 EXISTS\r\n');
    await once(output, 'data');
    input.end('DONE\r\nb LOGOUT\r\n');
    await once(puppet.received, 'end');
    puppet.output.write('* BYE\r\nb OK\r\n');
    puppet.end({ kind: 'status', code: 0 });
    t.match(await run, { exit: { kind: 'status', code: 0 } });
    t.equal(Buffer.concat(said).toString(), 'a IDLE\r\nDONE\r\nb LOGOUT\r\n');
    t.equal(Buffer.concat(heard).toString(), '* PREAUTH hi\r\n+ idling\r\n* 4 EXISTS\r\n* BYE\r\nb OK\r\n');
  },
);
