/** Shows the gateway's OpenAPI document with Redoc. Redoc's own words are Chinese; the document's texts are in both languages. */
import Redoc from 'redoc/bundles/redoc.standalone.js'

const FONT = 'system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace'

const LABELS = {
  enum: '可取值',
  enumSingleValue: '固定值',
  enumArray: '元素',
  default: '默认值',
  deprecated: '已弃用',
  example: '例',
  examples: '例',
  recursive: '递归',
  arrayOf: '列表：',
  webhook: '通知',
  const: '固定值',
  noResultsFound: '没有找到',
  download: '下载',
  downloadSpecification: '下载 OpenAPI 文档',
  responses: '应答 Responses',
  callbackResponses: '回调的应答',
  requestSamples: '请求示例 Request',
  responseSamples: '应答示例 Response',
}

const main = document.getElementById('reference')
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content

Redoc.init(
  '/openapi.json',
  {
    // The server applies only styles that carry it.
    nonce,
    // It would be a worker made of a text, and finds no Chinese word inside a sentence.
    disableSearch: true,
    hideDownloadButton: true,
    nativeScrollbars: true,
    requiredPropsFirst: true,
    expandResponses: '200',
    labels: LABELS,
    theme: {
      colors: { primary: { main: '#0b57d0' } },
      typography: {
        fontFamily: FONT,
        headings: { fontFamily: FONT },
        code: { fontFamily: MONO, color: '#8a1c3c' },
      },
    },
  },
  main,
  (error) => {
    if (error !== undefined && error !== null && main !== null) {
      main.textContent = '接口文档无法显示，请直接打开 /openapi.json。The document cannot be shown: open /openapi.json.'
    }
  },
)
