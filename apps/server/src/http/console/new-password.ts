/** The rules of a password that a user chooses. */
import { isGuessable } from '../../security/guessable.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from '../../security/passwords.ts'
import type { Failed } from './call.ts'
import type { fieldsOf } from './fields.ts'

/** The field `new_password`. `before`: the password that it replaces, where there is one. */
export async function newPasswordIn(
  read: ReturnType<typeof fieldsOf>,
  { username, before = '' }: { username: string; before?: string },
): Promise<string | Failed> {
  const fresh = read.needed('new_password', PASSWORD_MAX)
  if (fresh.length < PASSWORD_MIN) {
    read.say('new_password', `至少${PASSWORD_MIN}个字符`, `needs at least ${PASSWORD_MIN} characters`)
  }
  if (fresh === before || fresh.toLowerCase().includes(username)) {
    read.say('new_password', '不能与原密码相同或包含用户名', 'may not be the old one or contain your name')
  }
  // The search for patterns takes time, and looks only at what is not refused yet.
  if (read.failed() === null && (await isGuessable(fresh, username))) {
    read.say(
      'new_password',
      '太常见或有规律，容易被猜到；请用几个不相关的词或随机字符',
      'is common or has a pattern, and easy to guess; take some unrelated words, or letters at random',
    )
  }
  return read.failed() ?? fresh
}
