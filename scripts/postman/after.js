/** After each answer: verifies the signature of the platform, and keeps the numbers for the next request. */
const answer = pm.response.json()
const signature = answer.data?.sign
const platformKey = pm.variables.replaceIn('{{platform_public_key}}')
if (signature !== undefined) {
  pm.test('应答由平台签名 the platform signed the answer', () => {
    if (!verify(answerText(answer), signature, platformKey)) throw new Error('验签失败 the signature does not verify')
  })
}
if (answer.status === 200) {
  for (const name of ['transaction_no', 'mch_trade_no', 'refund_no', 'mch_refund_no']) {
    const value = answer.data[name]
    if (typeof value === 'string') pm.collectionVariables.set(name, value)
  }
}
