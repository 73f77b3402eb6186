import {inheritedEnvironment} from '../handlers/environment.ts'

/**
 * What kubectl inherits beside PATH, HOME, LANG, TZ and TMPDIR: where its clusters are, the proxy on the way, the
 * service account of the pod it runs in, and what the login plugins of the large clouds read.
 */
const KUBERNETES = `KUBECONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
  HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR
  AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ACCESS_KEY_ID
  AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE
  AWS_STS_REGIONAL_ENDPOINTS AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
  GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG CLOUDSDK_ACTIVE_CONFIG_NAME CLOUDSDK_CORE_PROJECT
  USE_GKE_GCLOUD_AUTH_PLUGIN
  AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST
  AZURE_CONFIG_DIR AAD_LOGIN_METHOD AAD_SERVICE_PRINCIPAL_CLIENT_ID AAD_SERVICE_PRINCIPAL_CLIENT_SECRET`.split(/\s+/)

/** Nothing of the packages' own: a parameter can neither name another cluster file nor another editor or pager. */
export function kubectlEnvironment(from: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = KUBERNETES.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]))
  return {...inheritedEnvironment(from), ...Object.fromEntries(entries)}
}
