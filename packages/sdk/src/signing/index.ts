export {describeBuild} from './build.ts'
export {signDetached, type SignedFileResult, signInPlace} from './sign-packages.ts'
export {signTargets} from './sign-targets.ts'
export {
  type KeyAccess,
  loadSigningKey,
  naming,
  openSigningKey,
  passwordFor,
  readKeyFile,
  readNewPassword,
  readPassword,
  signingKeyPath,
} from './signing-key.ts'
