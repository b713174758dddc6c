//! The only place that knows MySQL: is a server's first packet a greeting or an error, and how to
//! say an error in the place of a greeting.
//!
//! Source: the MySQL client/server protocol, "Protocol::HandshakeV10" and "ERR_Packet". A packet
//! is a length of three bytes, little-endian, a sequence number, and the payload.

use crate::connect::{Greeting, Verdict};
use crate::refusal::{Refusal, RefusalMessage};

/// Judges the first packet of a MySQL or MariaDB server. A greeting of protocol 10 serves; an
/// error (1040 too many connections, 1129 host blocked, 1053 shutting down…) and anything else
/// does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct MySqlGreeting;

/// Error packets in the place of a greeting.
///
/// | refusal | errno | as |
/// |---|---|---|
/// | too many connections, queue full, out of files | 1040 | `ER_CON_COUNT_ERROR`, SQLSTATE 08004 |
/// | no target, unreachable, held too long, ending | 1053 | `ER_SERVER_SHUTDOWN`, SQLSTATE 08S01 |
///
/// Both are errors that drivers and other proxies take for "connect again later". Before
/// capabilities are exchanged the packet has no field for the SQLSTATE; drivers derive it from
/// the errno. Targets are not named: the reader has not logged in.
#[derive(Clone, Copy, Debug, Default)]
pub struct MySqlRefusals;

const HEADER: usize = 4;
const PROTOCOL_10: u8 = 0x0a;
const ERR: u8 = 0xff;
const ER_CON_COUNT_ERROR: u16 = 1040;
const ER_SERVER_SHUTDOWN: u16 = 1053;

impl Greeting for MySqlGreeting {
    fn judge(&self, bytes: &[u8]) -> Verdict {
        let Some((header, payload)) = bytes.split_at_checked(HEADER) else {
            return Verdict::More;
        };
        let length =
            usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        if length == 0 || header[3] != 0 {
            return Verdict::Refuses("its first packet is no MySQL greeting".to_owned());
        }
        match payload {
            [] => Verdict::More,
            [PROTOCOL_10, ..] => Verdict::Serves,
            // Its text is wanted for the log: wait for the whole of it.
            [ERR, ..] if payload.len() < length.min(MOST_OF_AN_ERROR) => Verdict::More,
            [ERR, low, high, text @ ..] => {
                let errno = u16::from_le_bytes([*low, *high]);
                let text = &text[..text.len().min(length.saturating_sub(3))];
                let text = String::from_utf8_lossy(text);
                Verdict::Refuses(format!("it answered with error {errno}: {text}"))
            }
            [first, ..] => Verdict::Refuses(format!(
                "its first packet is no MySQL greeting (it begins with {first:#04x})"
            )),
        }
    }
}

/// A server's error message is at most 512 bytes long (`MYSQL_ERRMSG_SIZE`).
const MOST_OF_AN_ERROR: usize = 1024;

impl RefusalMessage for MySqlRefusals {
    fn message(&self, refusal: &Refusal) -> Vec<u8> {
        let (errno, text) = match refusal {
            Refusal::TooManyConnections { .. } | Refusal::OutOfFiles(_) => {
                (ER_CON_COUNT_ERROR, "Too many connections (proxy)".to_owned())
            }
            Refusal::QueueFull { .. } => (
                ER_CON_COUNT_ERROR,
                "Too many connections (proxy: queue full while the server is being changed)"
                    .to_owned(),
            ),
            Refusal::TooManyWait { .. } => (
                ER_CON_COUNT_ERROR,
                "Too many connections (proxy: queue full while no server is available)".to_owned(),
            ),
            Refusal::HeldTooLong { limit } => (
                ER_SERVER_SHUTDOWN,
                format!("The server is being changed (proxy: waited {limit:?})"),
            ),
            Refusal::NoTarget { limit } => {
                (ER_SERVER_SHUTDOWN, format!("No server is available (proxy: waited {limit:?})"))
            }
            Refusal::Unreachable { limit, .. } => (
                ER_SERVER_SHUTDOWN,
                format!("No server could be reached (proxy: tried for {limit:?})"),
            ),
            Refusal::ShuttingDown => (ER_SERVER_SHUTDOWN, "The proxy is ending".to_owned()),
        };
        error_packet(errno, &text)
    }
}

fn error_packet(errno: u16, text: &str) -> Vec<u8> {
    // Our texts are short; a longer one is cut, so that the length fits its first two bytes.
    let text = &text.as_bytes()[..text.len().min(512)];
    let [low, high] = u16::try_from(text.len() + 3).unwrap_or(u16::MAX).to_le_bytes();
    let mut packet = vec![low, high, 0, 0, ERR];
    packet.extend(errno.to_le_bytes());
    packet.extend(text);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![u8::try_from(payload.len()).unwrap(), 0, 0, 0];
        packet.extend(payload);
        packet
    }

    #[test]
    fn a_greeting_serves_as_soon_as_its_first_byte_is_there() {
        let bytes = packet(b"\x0a8.4.0\0rest");
        for short in 0..5 {
            assert_eq!(MySqlGreeting.judge(&bytes[..short]), Verdict::More, "{short}");
        }
        assert_eq!(MySqlGreeting.judge(&bytes[..5]), Verdict::Serves);
        assert_eq!(MySqlGreeting.judge(&bytes), Verdict::Serves);
    }

    #[test]
    fn an_error_refuses_with_its_number_and_text_once_it_is_whole() {
        let bytes = packet(b"\xff\x10\x04Too many connections");
        assert_eq!(MySqlGreeting.judge(&bytes[..12]), Verdict::More);
        assert_eq!(
            MySqlGreeting.judge(&bytes),
            Verdict::Refuses("it answered with error 1040: Too many connections".to_owned())
        );
    }

    #[test]
    fn anything_else_refuses() {
        for bytes in
            [&b"SSH-2.0-OpenSSH\r\n"[..], &[0, 0, 0, 0], &packet(b"\x09old"), &packet(b"\xff")]
        {
            assert!(matches!(MySqlGreeting.judge(bytes), Verdict::Refuses(_)), "{bytes:?}");
        }
    }

    #[test]
    fn every_refusal_is_one_whole_error_packet() {
        let limit = std::time::Duration::from_secs(10);
        for (refusal, errno) in [
            (Refusal::TooManyConnections { limit: 1 }, 1040),
            (Refusal::QueueFull { limit: 1 }, 1040),
            (Refusal::TooManyWait { limit: 1 }, 1040),
            (Refusal::OutOfFiles(std::io::Error::from_raw_os_error(24)), 1040),
            (Refusal::HeldTooLong { limit }, 1053),
            (Refusal::NoTarget { limit }, 1053),
            (Refusal::ShuttingDown, 1053),
        ] {
            let bytes = MySqlRefusals.message(&refusal);
            assert_eq!(usize::from(bytes[0]) + usize::from(bytes[1]) * 256, bytes.len() - 4);
            let Verdict::Refuses(reason) = MySqlGreeting.judge(&bytes) else {
                panic!("{refusal} is not an error packet");
            };
            assert!(reason.contains(&format!("error {errno}: ")), "{reason}");
        }
    }
}
