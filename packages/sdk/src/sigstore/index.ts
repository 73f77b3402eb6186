export {readJobToken} from './identity-token.ts'
export {createKeylessSigner, type KeylessFlags} from './keyless.ts'
export {loadTrustRoot, PUBLIC_GOOD} from './trusted-root.ts'
