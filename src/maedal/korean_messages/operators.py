"""In Korean: operators, their passwords, second steps and passkeys."""

from __future__ import annotations

OPERATORS = [
    # operators
    (
        r"a name is 2 to 60 letters, digits or \. _ @ \+ -, without spaces",
        "이름은 공백 없이 2~60자의 글자, 숫자, . _ @ + - 입니다.",
    ),
    (r"a password is (.+) to (.+) printable characters", "비밀번호는 {0}~{1}자의 보이는 문자여야 합니다."),
    (
        r"the password is too easy: it repeats itself, or holds the user's name",
        "너무 쉬운 비밀번호입니다. 같은 글자가 되풀이되거나 이름이 들어 있습니다.",
    ),
    (r"the new password is the old one", "새 비밀번호가 지금과 같습니다."),
    (r"the two new passwords differ", "새 비밀번호 둘이 서로 다릅니다."),
    (
        r"the password is too easy: it is among those that are guessed first",
        "비밀번호가 너무 쉽습니다. 가장 먼저 시도되는 것 가운데 하나입니다.",
    ),
    (
        r"too many wrong passwords or codes; try again in (.+) seconds",
        "틀린 횟수가 많습니다. {0}초 뒤에 다시 시도해 주세요.",
    ),
    (
        r"the link was used already, or a newer one has taken its place",
        "이미 쓴 링크이거나 새 링크가 발급되었습니다.",
    ),
    (r"an owner sees every merchant", "소유자는 모든 가맹점을 봅니다."),
    (r"an owner demands the second step of your role", "소유자가 이 역할에 2단계 인증을 요구합니다."),
    (r"an owner alone demands the second step of a role", "2단계 인증은 소유자만 요구할 수 있습니다."),
    (r"the present password is wrong", "현재 비밀번호가 맞지 않습니다."),
    (r"there is a user (.+) already", "{0}은(는) 이미 있는 이름입니다."),
    (r"there is no user (.+)", "{0}이라는 사용자가 없습니다."),
    (r"an owner is made, changed and ended by owners alone", "소유자는 소유자만 추가하고 바꿀 수 있습니다."),
    (r"somebody must stay owner", "소유자가 한 명은 남아 있어야 합니다."),
    (r"(.+) was changed by somebody else; look again", "{0}: 다른 사람이 방금 바꾸었습니다. 다시 확인해 주세요."),
    (r"the code is wrong; is the phone's clock right\?", "코드가 맞지 않습니다. 휴대폰의 시계가 맞는지 확인해 주세요."),
    (
        r"a passphrase for a file has letters without accents, digits and signs",
        "파일의 암호는 영문자, 숫자, 기호로 적어 주세요. 한글은 프로그램마다 다르게 읽습니다.",
    ),
    (
        r"the passphrase is too easy for a file that anybody may try; take a longer one",
        "누구나 몇 번이고 열어 볼 수 있는 파일에는 너무 쉬운 암호입니다. 더 긴 암호를 쓰세요.",
    ),
    (r"there is no passkey for this account yet", "이 계정에는 아직 패스키가 없습니다."),
    (r"there is no such passkey any more", "그 패스키는 이미 없습니다."),
    (r"the passkey was not accepted; begin anew", "패스키를 확인하지 못했습니다. 처음부터 다시 해 주세요."),
    (r"a passkey's name is 1 to (.+) printable characters", "패스키 이름은 1~{0}자로 적어 주세요."),
    (r"an account has (.+) passkeys at most", "한 계정에는 패스키를 {0}개까지 둘 수 있습니다."),
    (
        r"passkeys need the console at an https address with a host name",
        "패스키는 호스트 이름이 있는 https 주소의 콘솔에서만 쓸 수 있습니다.",
    ),
    (r"the code is wrong, or was used before", "코드가 맞지 않거나 이미 쓴 코드입니다."),
    (r"the setting up has to begin anew", "처음부터 다시 설정해 주세요."),
    (r"choose a role", "역할을 선택해 주세요."),
]
