import { symlink, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeScratchFolder } from '@viassh/testing';
import t from 'tap';
import { displayAddress, findCookie } from '../../src/authority/find-cookie.ts';
import { parseAuthority } from '../../src/authority/parse-authority.ts';
import { readAuthority } from '../../src/authority/read-authority.ts';

/** As `xauth add somehost/unix:78 …` wrote it on a machine of that name. */
const recorded = Buffer.from(
  `01000008${Buffer.from('somehost').toString('hex')}00023738` +
    '00124d49542d4d414749432d434f4f4b49452d31001000112233445566778899aabbccddeeff',
  'hex',
);

function entry(family: number, address: Buffer | string, number: string, cookie: string, name = 'MIT-MAGIC-COOKIE-1') {
  return { family, address: Buffer.from(address), number, name, data: Buffer.from(cookie) };
}

function hexOf(remoteAddress: string): string {
  return displayAddress({ remoteAddress }, 0).address.toString('hex');
}

t.test('a file of xauth is read; what is cut off at its end is left out', async (t) => {
  const expected = {
    family: 256,
    address: Buffer.from('somehost'),
    number: '78',
    name: 'MIT-MAGIC-COOKIE-1',
    data: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  };
  t.same(parseAuthority(recorded), [expected]);
  t.same(parseAuthority(Buffer.concat([recorded, recorded])), [expected, expected]);
  for (let length = 0; length < recorded.length; length += 1)
    t.same(parseAuthority(Buffer.concat([recorded, recorded.subarray(0, length)])), [expected]);
});

t.test('the cookie is that of the first entry for the address, the display and the protocol', async (t) => {
  const here = displayAddress({ remoteAddress: undefined }, 3);
  const name = hostname();
  const found = (...entries: ReturnType<typeof entry>[]) => findCookie(entries, here)?.toString();
  t.equal(found(entry(256, name, '3', 'right')), 'right');
  t.equal(
    found(entry(256, 'other', '3', 'wrong'), entry(256, name, '4', 'wrong'), entry(256, name, '3', 'right')),
    'right',
  );
  t.equal(found(entry(256, name, '3', 'wrong', 'XDM-AUTHORIZATION-1'), entry(65_535, '', '3', 'wild')), 'wild');
  t.equal(found(entry(256, name, '', 'every display')), 'every display');
  t.equal(found(entry(254, name, '3', 'by name')), 'by name');
  t.equal(found(entry(0, Buffer.from([127, 0, 0, 1]), '3', 'an address')), undefined);
  t.equal(found(entry(65_535, 'whatever', '4', 'another display')), undefined);
});

t.test('a display is named by the address that it was reached at; this machine by its name', async (t) => {
  for (const remoteAddress of [undefined, '127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1'])
    t.match(
      displayAddress({ remoteAddress }, 0),
      { family: 256, address: Buffer.from(hostname()) },
      `${remoteAddress}`,
    );
  for (const remoteAddress of ['192.0.2.7', '::ffff:192.0.2.7'])
    t.match(displayAddress({ remoteAddress }, 0), { family: 0, address: Buffer.from([192, 0, 2, 7]) });
  t.equal(hexOf('2001:db8::7:1'), '20010db8000000000000000000070001');
  t.equal(hexOf('fe80::1%eth0'), 'fe800000000000000000000000000001');
  t.equal(hexOf('2001:db8:1:2:3:4:5:6'), '20010db8000100020003000400050006');
  t.equal(displayAddress({ remoteAddress: '2001:db8::1' }, 0).family, 6);
});

t.test('no file is an empty one; what is no such file is refused, and holds nobody up', async (t) => {
  await using folder = await makeScratchFolder();
  const path = join(folder.path, 'authority');
  t.same(await readAuthority(path), []);
  t.same(await readAuthority('/dev/null'), []);
  await writeFile(path, recorded);
  t.equal((await readAuthority(path)).length, 1);
  await truncate(path, 2 ** 21);
  await t.rejects(readAuthority(path), { code: 'DISPLAY_UNUSABLE', hint: /XAUTHORITY/ });
  await t.rejects(readAuthority(folder.path), { code: 'DISPLAY_UNUSABLE' });
  const device = join(folder.path, 'device');
  await symlink('/dev/zero', device);
  await t.rejects(readAuthority(device), { code: 'DISPLAY_UNUSABLE' });
});
