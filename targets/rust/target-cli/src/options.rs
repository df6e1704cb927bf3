use std::env;
use std::process;
use std::time::Duration;

const USAGE: &str = "options: --port N (0 = pick one)  --threads N  --exit-after SECS  --body seed|equal
or in the environment: PORT, THREADS, EXIT_AFTER, BODY; an option wins over the environment";

/// Which response to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The response of the program this server stands for, byte for byte in length.
    Seed,
    /// One response common to all servers, so that a table of them is fair.
    Equal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub port: u16,
    pub threads: usize,
    pub exit_after: Option<Duration>,
    pub body: Body,
}

impl Options {
    /// Reads the process's arguments and environment; a mistake ends the process with exit code 2.
    pub fn read() -> Options {
        let args: Vec<String> = env::args().skip(1).collect();
        if args.iter().any(|arg| arg == "--help") {
            println!("{USAGE}");
            process::exit(0);
        }
        Options::parse(&args, |name| env::var(name).ok()).unwrap_or_else(|mistake| {
            eprintln!("{mistake}\n{USAGE}");
            process::exit(2)
        })
    }

    fn parse(args: &[String], env: impl Fn(&str) -> Option<String>) -> Result<Options, String> {
        let mut options = Options { port: 0, threads: 1, exit_after: None, body: Body::Seed };
        for (variable, option) in
            [("PORT", "--port"), ("THREADS", "--threads"), ("EXIT_AFTER", "--exit-after"), ("BODY", "--body")]
        {
            if let Some(value) = env(variable) {
                options.set(option, &value).map_err(|mistake| format!("{variable}: {mistake}"))?;
            }
        }
        for pair in args.chunks(2) {
            let [option, value] = pair else { return Err(format!("{}: no value", pair[0])) };
            options.set(option, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        let bad = |expected: &str| format!("{option} {value}: expected {expected}");
        match option {
            "--port" => self.port = value.parse().map_err(|_| bad("0 to 65535"))?,
            "--threads" => self.threads = value.parse().ok().filter(|n| *n > 0).ok_or_else(|| bad("1 or more"))?,
            "--exit-after" => {
                let seconds = value.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
                self.exit_after = Some(seconds.ok_or_else(|| bad("seconds"))?);
            }
            "--body" => {
                self.body = match value {
                    "seed" => Body::Seed,
                    "equal" => Body::Equal,
                    _ => return Err(bad("seed or equal")),
                }
            }
            _ => return Err(format!("{option}: no such option")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], env: &[(&str, &str)]) -> Result<Options, String> {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        Options::parse(&args, |name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string()))
    }

    #[test]
    fn nothing_given_means_any_port_one_thread_forever_seed() {
        let expected = Options { port: 0, threads: 1, exit_after: None, body: Body::Seed };
        assert_eq!(parse(&[], &[]), Ok(expected));
    }

    #[test]
    fn an_option_wins_over_the_environment() {
        let options = parse(&["--port", "81", "--body", "equal"], &[("PORT", "80"), ("EXIT_AFTER", "0.5")]).unwrap();
        assert_eq!((options.port, options.body), (81, Body::Equal));
        assert_eq!(options.exit_after, Some(Duration::from_millis(500)));
    }

    #[test]
    fn mistakes_name_the_option() {
        for args in [["--threads", "0"], ["--port", "65536"], ["--exit-after", "-1"], ["--body", "x"], ["--no", "1"]] {
            assert!(parse(&args, &[]).unwrap_err().starts_with(args[0]));
        }
        assert_eq!(parse(&["--port"], &[]).unwrap_err(), "--port: no value");
        assert!(parse(&[], &[("THREADS", "many")]).unwrap_err().starts_with("THREADS: "));
    }
}
