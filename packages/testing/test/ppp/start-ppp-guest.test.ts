import { missingForPppGuest, startPppGuest, watchLeaks } from '@viassh/testing';
import t from 'tap';

const skip = (await missingForPppGuest()) ?? false;

void t.test('a real pppd answers, to root and to a user of its group, and on the serial line', { skip }, async (t) => {
  await watchLeaks(t);
  await using guest = await startPppGuest();
  for (const user of ['root', 'user'] as const) {
    const { exit, stdout } = await guest.run('id -un; /usr/sbin/pppd --version 2>&1', { user });
    t.match(stdout, new RegExp(`^${user}\npppd version 2\\.\\d`));
    t.strictSame(exit, { kind: 'status', code: 0 });
  }
  const request = new Promise<Buffer>((resolve) => {
    let heard = Buffer.alloc(0);
    guest.serial.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.indexOf(0x7e, 1) > 0) resolve(heard);
    });
  });
  await guest.run('pppd /dev/ttyS0 115200 local nocrtscts noauth nodefaultroute </dev/null >/dev/null 2>&1');
  const ConfigureRequest = Buffer.from('7eff7d23c0217d21', 'hex'); // RFC 1662 §6: with every control character escaped
  t.strictSame((await request).subarray(0, ConfigureRequest.length), ConfigureRequest);
});
