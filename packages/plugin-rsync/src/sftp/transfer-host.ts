/** The first destination among the operands of scp or sftp, with the port of `-P`; undefined when all are local. */
export function transferHost(
  operands: readonly string[],
  program: 'scp' | 'sftp',
  port: string | undefined,
): string | undefined {
  for (const operand of operands) {
    const url = new RegExp(`^${program}://([^/]+)`).exec(operand)?.[1];
    if (url !== undefined) return url;
    const host = hostOf(operand, program);
    if (host !== undefined) return port === undefined ? host : `${host}:${port}`;
  }
  return undefined;
}

/** scp.c, colon(): no host where a slash comes before the colon. For sftp the path may be missing. */
function hostOf(operand: string, program: 'scp' | 'sftp'): string | undefined {
  const bracketed = /^(?:[^/:]+@)?\[[^\]]+\]/.exec(operand)?.[0];
  if (bracketed !== undefined) return bracketed;
  return (program === 'sftp' ? /^([^/:]+)/ : /^([^/:]+):/).exec(operand)?.[1];
}
