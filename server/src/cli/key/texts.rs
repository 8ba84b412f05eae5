//! Everything that `bonafide key` says to a person, in English and simplified Chinese. Errors are in English.

use crate::cli::messages::Lang;
use crate::keystore::{Prompts, Source};
use bonafide_core::signature::published::Reason;

/// What is asked for a passphrase.
pub(in crate::cli) fn prompts(lang: Lang) -> Prompts {
    match lang {
        Lang::En => Prompts {
            existing: "Passphrase of the key {}: ",
            fresh: "Passphrase for the new key {}: ",
            again: "The same again: ",
        },
        Lang::Zh => {
            Prompts {
                existing: "密钥 {} 的口令:", fresh: "为新密钥 {} 设置口令:", again: "请再输入一次:"
            }
        }
    }
}

/// Names of what is shown of a key.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) author: &'static str,
    pub(super) identity: &'static str,
    pub(super) key: &'static str,
    pub(super) fingerprint: &'static str,
    pub(super) did: &'static str,
    pub(super) kept: &'static str,
    pub(super) created: &'static str,
    pub(super) revoked: &'static str,
    pub(super) default: &'static str,
    pub(super) hardware: &'static str,
    pub(super) unprotected: &'static str,
}

pub(super) fn labels(lang: Lang) -> &'static Labels {
    match lang {
        Lang::En => &Labels {
            author: "author",
            identity: "identity",
            key: "public key",
            fingerprint: "fingerprint",
            did: "as a DID",
            kept: "kept in",
            created: "here since",
            revoked: "revoked",
            default: "default",
            hardware: "in hardware",
            unprotected: "without a passphrase",
        },
        Lang::Zh => &Labels {
            author: "作者",
            identity: "身份",
            key: "公钥",
            fingerprint: "指纹",
            did: "DID",
            kept: "保存在",
            created: "添加于",
            revoked: "已吊销",
            default: "默认",
            hardware: "硬件密钥",
            unprotected: "没有口令保护",
        },
    }
}

pub(super) fn source(lang: Lang, source: Source) -> &'static str {
    match (lang, source) {
        (Lang::En, Source::File) => "file",
        (Lang::Zh, Source::File) => "文件",
        (_, Source::Agent) => "ssh-agent",
    }
}

pub(super) fn reason(lang: Lang, reason: Reason) -> &'static str {
    match (lang, reason) {
        (Lang::En, Reason::Compromised) => "compromised",
        (Lang::En, Reason::Superseded) => "superseded",
        (Lang::En, Reason::Retired) => "retired",
        (Lang::En, Reason::Unspecified) => "no reason given",
        (Lang::Zh, Reason::Compromised) => "已泄露",
        (Lang::Zh, Reason::Superseded) => "已被替换",
        (Lang::Zh, Reason::Retired) => "已停用",
        (Lang::Zh, Reason::Unspecified) => "未说明原因",
    }
}

/// One thing that is said after a command, or beside its output.
#[derive(Debug, Clone, Copy)]
pub(super) enum Say<'a> {
    /// There are no keys.
    NoKeys,
    /// A key was made or taken over.
    Made { name: &'a str, path: &'a str },
    /// A key of the agent's was registered.
    Registered { name: &'a str },
    /// The key is not protected.
    Unprotected { path: &'a str },
    /// It is to be published, and how.
    Publish { name: &'a str },
    /// It has no identity, so nobody can look it up.
    NoIdentity { name: &'a str },
    /// Where the list goes.
    PutList { origin: Option<&'a str>, path: &'a str },
    /// Where the keys of a GitHub account go.
    GitHub { user: &'a str },
    /// Where the DID document goes.
    PutDid { origin: &'a str },
    /// A key was revoked.
    Revoked { name: &'a str },
    /// The key is the default now.
    Default { name: &'a str },
    /// Keys are trusted now.
    Trusted { name: &'a str, count: usize },
    /// Keys of a site that can't be asked now.
    OldKeys { reason: &'a str },
    /// A file of allowed signers was read.
    Imported { added: usize, known: usize },
    /// Keys are trusted no more.
    Distrusted { name: &'a str, count: usize },
    /// The keys of an identity were forgotten.
    Forgotten { identity: &'a str },
    /// There are no contacts.
    NoContacts,
}

impl Say<'_> {
    pub(super) fn text(self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Zh => self.chinese(),
        }
    }

    fn english(self) -> String {
        match self {
            Self::NoKeys => {
                "There is no key yet. Make one: bonafide key new --author NAME --identity https://YOUR-SITE"
                    .to_owned()
            }
            Self::Made { name, path } => format!(
                "The key `{name}` is in {path}. Keep a copy of the file in a safe place: nobody can make it again."
            ),
            Self::Registered { name } => {
                format!("The key `{name}` signs through the ssh-agent; its secret stays there.")
            }
            Self::Unprotected { path } => format!(
                "It has no passphrase: whoever gets the file can sign in your name. To set one: ssh-keygen -p -f {path}"
            ),
            Self::Publish { name } => {
                format!("So that readers can find whose it is: bonafide key publish {name}")
            }
            Self::NoIdentity { name } => format!(
                "The key `{name}` names no identity: only readers who have it as a contact will know whose it is."
            ),
            Self::PutList { origin: Some(origin), path } => {
                format!(
                    "Put this at {origin}{path}, served over https and without a redirect to another site."
                )
            }
            Self::PutList { origin: None, path } => format!(
                "Put this at https://YOUR-SITE{path}, served over https and without a redirect to another site."
            ),
            Self::GitHub { user } => format!(
                "For github:{user}, add the public key (bonafide key show) at https://github.com/settings/keys as an authentication key, so that it is listed at https://github.com/{user}.keys."
            ),
            Self::PutDid { origin } => format!("Put this at {origin}/.well-known/did.json"),
            Self::Revoked { name } => format!(
                "The key `{name}` signs nothing here any more. Readers hear of it only when you publish again: bonafide key publish"
            ),
            Self::Default { name } => format!("The key `{name}` signs unless another is asked for."),
            Self::Trusted { name, count } => format!(
                "Keys trusted as those of `{name}`: {count}. Compare fingerprints with that person by other means, such as a call."
            ),
            Self::OldKeys { reason } => format!("These keys were fetched before, for now {reason}"),
            Self::Imported { added, known } => format!("Keys trusted: {added}; trusted already: {known}."),
            Self::Distrusted { name, count } => format!("Keys of `{name}` trusted no more: {count}."),
            Self::Forgotten { identity } => {
                format!(
                    "The keys of {identity} were forgotten: the next that it publishes are taken for its own."
                )
            }
            Self::NoContacts => "There is no contact yet. Add one: bonafide key trust NAME KEY".to_owned(),
        }
    }

    fn chinese(self) -> String {
        match self {
            Self::NoKeys => {
                "还没有密钥。创建一个:bonafide key new --author 姓名 --identity https://你的网站".to_owned()
            }
            Self::Made { name, path } => {
                format!("密钥 `{name}` 保存在 {path}。请把该文件备份到安全的地方:丢失后无法重新生成。")
            }
            Self::Registered { name } => format!("密钥 `{name}` 通过 ssh-agent 签名,私钥始终留在那里。"),
            Self::Unprotected { path } => {
                format!("它没有口令保护:拿到文件的人就能以你的名义签名。设置口令:ssh-keygen -p -f {path}")
            }
            Self::Publish { name } => {
                format!("为了让读者查到这是谁的密钥,请发布它:bonafide key publish {name}")
            }
            Self::NoIdentity { name } => {
                format!("密钥 `{name}` 没有写明身份:只有把它加为联系人的读者才知道它是谁的。")
            }
            Self::PutList { origin: Some(origin), path } => {
                format!("请把它放在 {origin}{path},通过 https 提供,并且不要重定向到其他网站。")
            }
            Self::PutList { origin: None, path } => {
                format!("请把它放在 https://你的网站{path},通过 https 提供,并且不要重定向到其他网站。")
            }
            Self::GitHub { user } => format!(
                "对于 github:{user},请在 https://github.com/settings/keys 把公钥(bonafide key show)添加为认证密钥,使它出现在 https://github.com/{user}.keys 中。"
            ),
            Self::PutDid { origin } => format!("请把它放在 {origin}/.well-known/did.json"),
            Self::Revoked { name } => {
                format!("密钥 `{name}` 在本机不再用于签名。重新发布之后读者才会知道:bonafide key publish")
            }
            Self::Default { name } => format!("没有另外指定时,用密钥 `{name}` 签名。"),
            Self::Trusted { name, count } => {
                format!("已信任 `{name}` 的密钥:{count} 个。请通过其他途径与对方核对指纹。")
            }
            Self::OldKeys { reason } => format!("这些密钥是以前获取的,因为现在 {reason}"),
            Self::Imported { added, known } => format!("新信任的密钥:{added} 个;此前已信任:{known} 个。"),
            Self::Distrusted { name, count } => format!("不再信任 `{name}` 的密钥:{count} 个。"),
            Self::Forgotten { identity } => {
                format!("已忘记 {identity} 的密钥:下次它公布的密钥将被视为它自己的。")
            }
            Self::NoContacts => "还没有联系人。添加一个:bonafide key trust 名字 密钥".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_the_same_things() {
        let path = "/.well-known/human-keys.json";
        for said in [
            Say::Made { name: "NAME", path: "PATH" },
            Say::Registered { name: "NAME" },
            Say::Unprotected { path: "PATH" },
            Say::Publish { name: "NAME" },
            Say::NoIdentity { name: "NAME" },
            Say::PutList { origin: Some("https://example.org"), path },
            Say::PutList { origin: None, path },
            Say::GitHub { user: "ada" },
            Say::PutDid { origin: "https://example.org" },
            Say::Revoked { name: "NAME" },
            Say::Default { name: "NAME" },
            Say::Trusted { name: "NAME", count: 3 },
            Say::OldKeys { reason: "PATH" },
            Say::Imported { added: 3, known: 4 },
            Say::Distrusted { name: "NAME", count: 3 },
            Say::Forgotten { identity: "https://example.org" },
            Say::NoContacts,
        ] {
            let (english, chinese) = (said.text(Lang::En), said.text(Lang::Zh));
            assert!(!english.contains('。') && !chinese.is_ascii(), "{english} {chinese}");
            for word in ["`NAME`", "PATH", "https://example.org", path, "github:ada", "bonafide key publish"]
            {
                assert_eq!(english.contains(word), chinese.contains(word), "{word}: {english} {chinese}");
            }
        }
    }
}
