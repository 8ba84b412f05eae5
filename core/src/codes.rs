//! Stable names of messages: an enum, all of it, and how each stands in a report.

/// Makes the enum `Code`, from its own documentation and from each code's variant, name and documentation.
macro_rules! codes {
    ($(#[$own:meta])+ enum Code { $($(#[$doc:meta])+ $variant:ident = $name:literal,)+ }) => {
        $(#[$own])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])+ $variant,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it stands in a report.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

pub(crate) use codes;
