import { checkDestination, checkUser, parseDestination, ViasshError } from '@viassh/core';

/** A user name by ssh's own rules. @throws ViasshError DESTINATION_INVALID */
export function checkUserName(user: string): void {
  checkUser(`${user}@`, user);
}

/** A host name or address; tokens of ssh_config(5) stay. @throws ViasshError DESTINATION_INVALID */
export function checkHostName(host: string): void {
  checkDestination({ host });
}

/** Jump hosts, separated by commas, or `none`. @throws ViasshError DESTINATION_INVALID */
export function checkHopNames(hops: string): void {
  if (hops.toLowerCase() === 'none') return;
  for (const hop of hops.split(',')) parseDestination(hop);
}

/** argv ends at a NUL, and a line break is nowhere meant. @throws ViasshError OPTION_INVALID */
export function checkValue(what: string, value: string): void {
  const broken = what.startsWith('-') ? /[\0\n\r]/ : /\0/;
  if (!broken.test(value)) return;
  throw new ViasshError('OPTION_INVALID', `${what} has a line break or a NUL byte in it: ${value}`, {
    hint: 'give it without',
  });
}
