import { ViasshError } from '@viassh/core';

/** @throws ViasshError PROTOCOL_ERROR when it is no object in JSON */
export function jsonBody(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new ViasshError('PROTOCOL_ERROR', 'a frame of a lease has not the JSON that it should have');
}
