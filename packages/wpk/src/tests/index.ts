export {explainTestField, TEST_SCHEMA_ID, testJsonSchema} from './json-schema.ts'
export {checkTestNames} from './names.ts'
export {placed, readTest} from './reader.ts'
export type {TestDocument, TestReading} from './reader.ts'
export {STATUSES} from './schema.ts'
export type {
  CallExpectation,
  CallsExpectation,
  TestCase,
  TestExpectation,
  TestMocks,
  TestResult,
  TestStatus,
  TextMatcher,
  WpkTest,
} from './schema.ts'
