export {readJobToken} from './identity-token.ts'
export {createKeylessSigner, type KeylessFlags} from './keyless.ts'
export {keylessFlags} from './keyless-flags.ts'
export {loadTrustRoot, PUBLIC_GOOD} from './trusted-root.ts'
