import t from 'tap';
import { complianceAreas, testTransportCompliance } from '@viassh/testing';
import { brokenHarness, mistakes } from './broken-transports.ts';

// Started by the test beside it, with the name of a mistake.
const name = process.argv[2] as keyof typeof mistakes;
const mistake = mistakes[name];
process.on('unhandledRejection', () => undefined);
await testTransportCompliance(t, brokenHarness('broken', mistake), {
  areas: complianceAreas.filter(({ name: area }) => area === mistake.area),
  caseTimeoutMs: 2000,
});
