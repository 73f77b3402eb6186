export {requirePolicyApproval} from './approval.ts'
export {DOCUMENT_LIMIT, loadPackage, type LocalPackage} from './load.ts'
export {isFileReference, parseWorkflowId} from './reference.ts'
