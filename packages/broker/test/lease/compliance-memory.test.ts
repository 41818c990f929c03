import { memoryHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';
import { lendingHarness, lentAreas } from './lending-harness.ts';

await testTransportCompliance(t, lendingHarness(memoryHarness()), { areas: lentAreas });
