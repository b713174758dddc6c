//! A program on ports that nobody else has.

use std::net::{Ipv4Addr, SocketAddr};

use mysqlsvc_sandbox::ports;

use super::ProductError;

/// How often a program whose port was taken between choice and start gets others.
const ATTEMPTS: u32 = 5;

/// Runs `launch` with free addresses of loopback, and again with others where another program was
/// quicker. The addresses it was launched with come first.
///
/// The addresses are fixed before the program starts, not left to the kernel (port 0): the program
/// is killed and started again on them, and the kernel's own choice may be taken meanwhile by any
/// outgoing connection.
pub(super) async fn on_free_ports<const COUNT: usize, T>(
    mut launch: impl AsyncFnMut([SocketAddr; COUNT]) -> Result<T, ProductError>,
) -> Result<([SocketAddr; COUNT], T), ProductError> {
    let mut attempt = 1;
    loop {
        let ports = ports::free(COUNT)?;
        let mut ports = ports.into_iter();
        let addresses = [(); COUNT].map(|()| {
            // As many as were asked for.
            SocketAddr::from((Ipv4Addr::LOCALHOST, ports.next().unwrap_or_default()))
        });
        match launch(addresses).await {
            Err(error) if error.is_port_taken() && attempt < ATTEMPTS => attempt += 1,
            launched => return Ok((addresses, launched?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(log: &str) -> ProductError {
        ProductError::Ended { program: "monitord", status: "1".to_owned(), log: log.to_owned() }
    }

    #[tokio::test]
    async fn a_program_whose_port_was_taken_is_launched_on_another() {
        let mut seen = Vec::new();
        let (addresses, ()) = on_free_ports::<2, _>(async |addresses| {
            seen.push(addresses);
            let taken = "cannot listen on 127.0.0.1:1: Address already in use (os error 98)";
            if seen.len() < 3 { Err(ended(taken)) } else { Ok(()) }
        })
        .await
        .unwrap();
        assert_eq!((seen.len(), addresses), (3, seen[2]));
        assert!(seen[0] != seen[1] && addresses[0] != addresses[1], "{seen:?}");
    }

    #[tokio::test]
    async fn a_program_that_ends_for_another_reason_is_not_launched_again() {
        let mut launched = 0;
        let error = on_free_ports::<1, ()>(async |_| {
            launched += 1;
            Err(ended("cannot read the secrets"))
        })
        .await
        .unwrap_err();
        assert_eq!(launched, 1);
        assert!(error.to_string().contains("secrets"), "{error}");
    }

    #[tokio::test]
    async fn ports_that_are_always_taken_are_an_error_at_last() {
        let mut launched = 0;
        let tried = on_free_ports::<1, ()>(async |_| {
            launched += 1;
            Err(ended("Address already in use"))
        });
        assert!(tried.await.is_err_and(|error| error.is_port_taken()));
        assert_eq!(launched, ATTEMPTS);
    }
}
