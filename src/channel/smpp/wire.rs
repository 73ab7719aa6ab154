//! Bytes on the line: each request and answer by itself.

use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder, Framed, LengthDelimitedCodec};

/// What carries the bytes: a connection, or TLS over one.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The line, cut into requests and answers that are not read yet.
pub(super) type Wire = Framed<Box<dyn Stream>, LengthDelimitedCodec>;

/// The largest request or answer that is read, in bytes.
const PDU_MAX: usize = 65_536;

/// The length and the three words that every request and answer begins with, in bytes.
const HEAD: usize = 16;

/// A line.
pub(super) fn framed(stream: Box<dyn Stream>) -> Wire {
    // The length that stands first counts itself, and stays with the rest.
    let codec = LengthDelimitedCodec::builder()
        .length_field_length(4)
        .num_skip(0)
        .max_frame_length(PDU_MAX)
        .new_codec();
    Framed::new(stream, codec)
}

/// The bit that tells answers from requests.
pub(super) const RESPONSE: u32 = 0x8000_0000;

/// What every request and answer begins with.
pub(super) struct Head {
    pub(super) id: u32,
    pub(super) status: CommandStatus,
    pub(super) sequence: u32,
}

/// Head and body; without a body where it cannot be read, so that one strange request does not break
/// the line for all others.
pub(super) fn read(mut frame: BytesMut) -> Result<(Head, Option<Pdu>), String> {
    let word = |at: usize| {
        let bytes = frame.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(u32::from_be_bytes)
    };
    let (Some(id), Some(status), Some(sequence)) = (word(4), word(8), word(12)) else {
        return Err(format!("the centre sent less than the {HEAD} bytes of a head"));
    };
    let head = Head { id, status: CommandStatus::from(status), sequence };
    let command = CommandCodec::new().with_max_length(PDU_MAX).decode(&mut frame);
    let pdu = command.ok().flatten().and_then(|command| command.pdu().cloned());
    Ok((head, pdu))
}

/// Sends one request or answer.
pub(super) async fn write(wire: &mut Wire, command: Command) -> Result<(), String> {
    let mut bytes = BytesMut::new();
    CommandCodec::new().encode(command, &mut bytes).map_err(|error| error.to_string())?;
    // The length is in the bytes already: they go past the framing.
    let stream = wire.get_mut();
    let written = async {
        stream.write_all(&bytes).await?;
        // TLS keeps what it could not send at once.
        stream.flush().await
    };
    written.await.map_err(|error| format!("the line broke: {error}"))
}
