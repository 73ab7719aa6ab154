//! Files for a recipient: locked while they are written, opened while they are read, piece by piece. The
//! form is that of `age` (age-encryption.org/v1), so that they can also be opened without this program.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::stream::StreamWriter;
use age::{Decryptor, Encryptor, x25519};
use clap::Args;

use super::archive::{io as failed, new_file};
use super::house::Error;
use crate::config::settings::Settings;

/// What the name of a locked file ends with.
pub(super) const LOCKED: &str = ".age";

/// How a locked file begins.
const BEGINNING: &[u8] = b"age-encryption.org/v1";

/// Bytes that are read or written at a time.
const PIECE: usize = 65_536;

/// For whom what is written is locked.
#[derive(Debug, Args)]
pub struct Locking {
    /// A file of recipients (`age1…`, one a line) for whom it is locked, instead of that of the settings
    /// (`backup.recipients`).
    #[arg(long, value_name = "FILE")]
    recipients: Option<PathBuf>,
}

impl Locking {
    /// The recipients, if there are any.
    ///
    /// # Errors
    /// As for [`Recipients::read`].
    pub fn recipients(self, settings: &Settings) -> Result<Option<Recipients>, Error> {
        let usual = &settings.backup.recipients;
        let usual = (!usual.as_os_str().is_empty()).then(|| settings.beside(usual));
        self.recipients.or(usual).map(|file| Recipients::read(&file)).transpose()
    }
}

/// By which keys what is locked is opened.
#[derive(Debug, Args)]
pub struct Opening {
    /// A file of keys (`AGE-SECRET-KEY-1…`, one a line) by which a locked copy or export is opened.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Opening {
    /// The keys, if there are any.
    ///
    /// # Errors
    /// As for [`Identities::read`].
    pub fn identities(self) -> Result<Option<Identities>, Error> {
        self.identity.map(|file| Identities::read(&file)).transpose()
    }
}

/// Whoever can open what is written.
pub struct Recipients(Vec<x25519::Recipient>);

/// The keys that open it.
pub struct Identities(Vec<x25519::Identity>);

impl Recipients {
    /// The recipients of a file: a line each, `age1…`; lines that begin with `#` are notes.
    ///
    /// # Errors
    /// A file that cannot be read; a line that is no recipient, by its number; none at all.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let what = "a recipient begins with `age1`, as `fenliu key backup` prints it";
        lines(path, what, |line| x25519::Recipient::from_str(line).ok()).map(Self)
    }
}

impl Identities {
    /// The keys of a file: a line each, `AGE-SECRET-KEY-1…`; lines that begin with `#` are notes.
    ///
    /// # Errors
    /// A file that cannot be read; a line that is no key, by its number and not repeated; none at all.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let what = "a key begins with `AGE-SECRET-KEY-1`, as `fenliu key backup` writes it";
        lines(path, what, |line| x25519::Identity::from_str(line).ok()).map(Self)
    }
}

fn lines<T>(path: &Path, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Error> {
    let text = std::fs::read_to_string(path).map_err(failed(path))?;
    let mut found = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{}:{}", path.display(), number + 1);
        found.push(read(line).ok_or_else(|| Error::Sense(format!("{place}: {what}")))?);
    }
    if found.is_empty() {
        return Err(Error::Sense(format!("{}: there is none in it; {what}", path.display())));
    }
    Ok(found)
}

/// Makes a key for copies in a new file; answers the recipient to lock them for.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn make_key(path: &Path) -> Result<String, Error> {
    let key = x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let mut file = new_file(path)?;
    let text = format!("# {recipient}\n{}\n", key.to_string().expose_secret());
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(path))?;
    Ok(recipient)
}

fn recipient(one: &x25519::Recipient) -> &dyn age::Recipient {
    one
}

fn identity(one: &x25519::Identity) -> &dyn age::Identity {
    one
}

/// A new file that is being written, locked or not.
pub(super) enum Envelope {
    Open(BufWriter<File>),
    Locked(Box<StreamWriter<BufWriter<File>>>),
}

impl Envelope {
    /// A new file that only its owner may read, locked if there are recipients.
    pub(super) fn new(path: &Path, recipients: Option<&Recipients>) -> Result<Self, Error> {
        let file = BufWriter::with_capacity(PIECE, new_file(path)?);
        let Some(Recipients(all)) = recipients else { return Ok(Self::Open(file)) };
        let locked = Encryptor::with_recipients(all.iter().map(recipient))
            .map_err(|error| Error::Sense(format!("{}: {error}", path.display())))?
            .wrap_output(file)
            .map_err(failed(path))?;
        Ok(Self::Locked(Box::new(locked)))
    }

    /// Writes the end; it is on the disk when this returns.
    pub(super) fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Open(file) => file,
            Self::Locked(locked) => locked.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Write for Envelope {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => file.write(bytes),
            Self::Locked(locked) => locked.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(file) => file.flush(),
            Self::Locked(locked) => locked.flush(),
        }
    }
}

/// The name under which a file stands: locked, if it is there so.
pub(super) fn there(path: &Path) -> PathBuf {
    let mut locked = path.as_os_str().to_owned();
    locked.push(LOCKED);
    let locked = PathBuf::from(locked);
    if locked.exists() && !path.exists() { locked } else { path.to_owned() }
}

/// Reads a file, opened by the keys if it is locked. Each piece is proved before it is handed on; a file that
/// was cut or altered fails where that shows.
///
/// # Errors
/// A file that cannot be read; a locked one without the key for it.
pub(super) fn open(
    path: &Path,
    identities: Option<&Identities>,
) -> Result<Box<dyn BufRead>, Error> {
    let mut file = BufReader::with_capacity(PIECE, File::open(path).map_err(failed(path))?);
    if !file.fill_buf().map_err(failed(path))?.starts_with(BEGINNING) {
        return Ok(Box::new(file));
    }
    let shown = path.display();
    let Some(Identities(all)) = identities else {
        return Err(Error::Sense(format!(
            "{shown} is locked: name the file with its key by --identity"
        )));
    };
    let wrong = |error: age::DecryptError| {
        let why = match error {
            age::DecryptError::NoMatchingKeys => {
                "the key is not one that it was locked for".to_owned()
            }
            other => format!("it was cut or altered ({other})"),
        };
        Error::Sense(format!("{shown} cannot be opened: {why}"))
    };
    let opened = Decryptor::new_buffered(file).map_err(wrong)?;
    let opened = opened.decrypt(all.iter().map(identity)).map_err(wrong)?;
    let mut opened = BufReader::with_capacity(PIECE, opened);
    // The first piece at once, so that a broken one is found before anything is made of it.
    opened.fill_buf().map_err(|error| broken(path, &error))?;
    Ok(Box::new(opened))
}

/// What reading a file came to that broke off.
pub(super) fn broken(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::Sense(format!(
            "{shown} cannot be opened to its end: it was cut or altered ({error})"
        )),
        _ => Error::Sense(format!("{shown}: {error}")),
    }
}

/// Writes what is in one file to another, locked or opened on the way.
pub(super) fn pour(
    mut from: Box<dyn BufRead>,
    place: &Path,
    to: &mut impl Write,
    target: &Path,
) -> Result<(), Error> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).map_err(|error| broken(place, &error))?;
        let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        to.write_all(bytes).map_err(failed(target))?;
    }
}
