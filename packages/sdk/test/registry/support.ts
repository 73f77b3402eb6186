import {loadDocument} from '@atomctl/wpk/document'
import {defaultTrustPolicy, type VerifiedDocument, verifyDocument} from '@atomctl/wpk/trust'

export interface PackageFields {
  name?: string
  version?: string
  description?: string
  signature?: string
  created?: string
  handlers?: string
  rollback?: string
}

const HANDLERS = '[{name: hello, type: shell, config: {command: "echo hello"}}]'

/** The text of a small package; flow style, so that tests can put in handlers on one line. */
export function packageText(fields: PackageFields = {}): string {
  const {name = 'demo', version = '1.0.0', description = 'A demo', signature = 'signed', handlers = HANDLERS} = fields
  return `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: ${name}
  version: "${version}"
  description: "${description}"
  author: "Test"
  created: ${fields.created ?? '"2024-01-15T10:00:00Z"'}
  tags: ["demo", "test"]
  signature: "${signature}"
spec:
  runtime: {type: shell}
  safety: {mode: manual}
  handlers: ${handlers}
  rollback: ${fields.rollback ?? '{enabled: false}'}
`
}

/** A verified package; the policy skips signatures because these tests are about what happens afterwards. */
export function verifiedPackage(fields: PackageFields = {}): VerifiedDocument {
  const document = loadDocument(Buffer.from(packageText(fields)), 'demo.wpk.yaml')
  return verifyDocument(document, {...defaultTrustPolicy(), default: {level: 'skip'}})
}
