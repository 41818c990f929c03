import { closeSync, constants, openSync } from 'node:fs';
import { constants as system } from 'node:os';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import { type PacketDevice, type TunMode, ViasshError } from '@viassh/core';
import { type KernelCalls, loadKernelCalls } from '../kernel/kernel-calls.ts';
import { TunDevice } from './tun-device.ts';

/** Which device to open. */
export interface TunDeviceOptions {
  readonly mode: TunMode;
  /** Up to 15 bytes; `%d` at its end is the first free number. An existing tun device is opened. Default: `tun%d`, `tap%d`. */
  readonly name?: string | undefined;
  /** With headers for segmentation and checksums on every packet ({@link PacketDevice.vnetHeader}); only for a far end that has them too. */
  readonly vnetHeader?: boolean | undefined;
  /** Bytes of the largest packet. Default: what the device has, 1500 when it is new. */
  readonly mtu?: number | undefined;
}

// linux/if_tun.h, linux/if.h, linux/sockios.h
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const CHECKSUM_AND_TSO = 1 | 2 | 4; // TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6
const IFREQ_LENGTH = 40;
const NAME_LENGTH = 16;
const VNET_HEADER_LENGTH = 10;
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0x80002;

/**
 * Opens a tun or tap device of this machine. One that did not exist is gone again with its `close()`, or with this process.
 *
 * @throws ViasshError LIBRARY_MISSING, TUN_MISSING, TUN_FORBIDDEN, DEVICE_BUSY, OPTION_INVALID, NETWORK_SETUP_FAILED
 */
export async function openTunDevice(options: TunDeviceOptions): Promise<PacketDevice> {
  if (process.platform !== 'linux')
    throw new ViasshError('TUN_MISSING', `tun devices of ${process.platform} are not known to viassh`, {
      hint: 'run it on Linux',
    });
  checkName(options.name);
  const calls = await loadKernelCalls();
  const fd = openClone();
  try {
    const name = attach(calls, fd, options);
    const vnetHeader = options.vnetHeader ?? false;
    if (vnetHeader) {
      const length = Buffer.alloc(4);
      length.writeInt32LE(VNET_HEADER_LENGTH);
      demand(calls, calls.ioctl(fd, TUNSETVNETHDRSZ, length), `${name} takes no header of 10 bytes`);
    }
    // also without: who had a persistent device before us may have left it on
    demand(calls, calls.ioctl(fd, TUNSETOFFLOAD, vnetHeader ? CHECKSUM_AND_TSO : 0), `${name} cannot segment`);
    if (options.mtu !== undefined) setMtu(calls, name, options.mtu);
    return new TunDevice(calls, fd, { name, mode: options.mode, vnetHeader });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function checkName(name: string | undefined): void {
  if (name === undefined) return;
  if (/^[^\s/:%]+(?:%d)?$/.test(name) && Buffer.byteLength(name) < NAME_LENGTH && !/^\.\.?$/.test(name)) return;
  throw new ViasshError('OPTION_INVALID', `a network device cannot be called ${JSON.stringify(name)}`, {
    hint: 'up to 15 bytes, without spaces, / and :',
  });
}

function openClone(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'EACCES' || code === 'EPERM')
      throw new ViasshError('TUN_FORBIDDEN', `/dev/net/tun may not be opened (${code})`, {
        hint: 'give the container the device (--device /dev/net/tun), or this user the right to read and write it',
        cause,
      });
    throw new ViasshError('TUN_MISSING', `this machine has no tun devices: /dev/net/tun cannot be opened (${code})`, {
      hint: 'load the kernel module (modprobe tun), or give the container /dev/net/tun',
      cause,
    });
  }
}

function attach(calls: KernelCalls, fd: number, { mode, name, vnetHeader }: TunDeviceOptions): string {
  const kind = mode === 'ethernet' ? IFF_TAP : IFF_TUN;
  const request = deviceRequest(name ?? '');
  request.writeUInt16LE(kind | IFF_NO_PI | (vnetHeader === true ? IFF_VNET_HDR : 0), NAME_LENGTH);
  if (calls.ioctl(fd, TUNSETIFF, request) === -1) throw refusal(calls.errno(), mode, name);
  return request.toString('utf8', 0, request.indexOf(0));
}

function refusal(errno: number, mode: TunMode, name: string | undefined): ViasshError {
  const device = name ?? 'a device';
  const kind = mode === 'ethernet' ? 'tap' : 'tun';
  switch (errno) {
    case system.errno.EPERM:
    case system.errno.EACCES: {
      const example = name === undefined || name.includes('%') ? 'viassh0' : name;
      return new ViasshError('TUN_FORBIDDEN', `this user may not open ${device} (CAP_NET_ADMIN is missing)`, {
        hint: `run as root, or have root make it once: ip tuntap add dev ${example} mode ${kind} user NAME, and use --device ${example}`,
      });
    }
    case system.errno.EBUSY:
      return new ViasshError('DEVICE_BUSY', `somebody else has ${device} open`, {
        hint: 'name another one with --device',
      });
    case system.errno.EINVAL:
      return new ViasshError('DEVICE_BUSY', `${device} is there already, and is not a ${kind} device`, {
        hint: 'name another one with --device; ip -d link shows what it is',
      });
    default:
      return failure(errno, `${device} could not be made`);
  }
}

/** By SIOCSIFMTU; one that is right already is left alone, so that the owner of a device needs no right to change it. */
function setMtu(calls: KernelCalls, name: string, mtu: number): void {
  const socket = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  demand(calls, socket, `no socket to set the MTU of ${name}`);
  try {
    const request = deviceRequest(name);
    demand(calls, calls.ioctl(socket, SIOCGIFMTU, request), `the MTU of ${name} cannot be read`);
    if (request.readInt32LE(NAME_LENGTH) === mtu) return;
    request.writeInt32LE(mtu, NAME_LENGTH);
    if (calls.ioctl(socket, SIOCSIFMTU, request) === 0) return;
    const errno = calls.errno();
    if (errno !== system.errno.EPERM) throw failure(errno, `the MTU of ${name} cannot be ${mtu}`);
    throw new ViasshError('TUN_FORBIDDEN', `this user may not set the MTU of ${name} to ${mtu}`, {
      hint: `have root do it once: ip link set ${name} mtu ${mtu}`,
    });
  } finally {
    closeSync(socket);
  }
}

/** `struct ifreq` */
function deviceRequest(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name, 0, NAME_LENGTH - 1);
  return request;
}

function demand(calls: KernelCalls, result: number, what: string): void {
  if (result < 0) throw failure(calls.errno(), what);
}

function failure(errno: number, what: string): ViasshError {
  return new ViasshError('NETWORK_SETUP_FAILED', `${what} (${getSystemErrorName(-errno)})`);
}
