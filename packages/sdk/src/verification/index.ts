export {readSubject, type Subject} from './subject.ts'
export {
  readVerificationSubject,
  type VerificationResult,
  type VerificationSubject,
  type Verdict,
  verifySubject,
  verifySubjectByIdentity,
  verifySubjectByKey,
} from './verification.ts'
