import { memoryHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';
import { supervisedHarness } from './supervised-harness.ts';

await testTransportCompliance(t, supervisedHarness(memoryHarness()));
