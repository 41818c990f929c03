import { memoryHarness, supervisedHarness, testTransportCompliance } from '@viassh/testing';
import t from 'tap';

await testTransportCompliance(t, supervisedHarness(memoryHarness()));
