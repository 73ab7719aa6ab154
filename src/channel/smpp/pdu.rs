//! What is said to the SMS centre, and what its codes mean.

use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use rusmpp::{CommandStatus, Pdu};

use super::super::{Outcome, Setup};
use super::Options;
use super::text::Part;

/// For what a session is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Transceiver,
    Transmitter,
    Receiver,
}

/// Says at the start what SMPP has no room for.
pub(super) fn check(options: &Options) -> Result<(), Setup> {
    if options.host.is_empty() {
        return Err(Setup::new("host", "name the SMS centre"));
    }
    word::<16>("system_id", &options.system_id)?;
    word::<9>("password", &options.password)?;
    word::<13>("system_type", &options.system_type)?;
    word::<21>("source", &options.source)?;
    Ok(())
}

/// A text with a zero at its end, as fields of the protocol are.
fn word<const MAX: usize>(key: &'static str, text: &str) -> Result<COctetString<1, MAX>, Setup> {
    COctetString::from_string(text.to_owned()).map_err(|_said| {
        Setup::new(key, format!("SMPP has room for {} ASCII characters here", MAX - 1))
    })
}

/// The request that opens a session.
pub(super) fn bind(options: &Options, role: Role) -> Result<Pdu, Setup> {
    let system_id = word("system_id", &options.system_id)?;
    let password = word("password", &options.password)?;
    let system_type = word("system_type", &options.system_type)?;
    let version = InterfaceVersion::Smpp3_4;
    let (ton, npi, range) = (Ton::Unknown, Npi::Unknown, COctetString::empty());
    Ok(match role {
        Role::Transceiver => Pdu::BindTransceiver(BindTransceiver::new(
            system_id,
            password,
            system_type,
            version,
            ton,
            npi,
            range,
        )),
        Role::Transmitter => Pdu::BindTransmitter(BindTransmitter::new(
            system_id,
            password,
            system_type,
            version,
            ton,
            npi,
            range,
        )),
        Role::Receiver => Pdu::BindReceiver(BindReceiver::new(
            system_id,
            password,
            system_type,
            version,
            ton,
            npi,
            range,
        )),
    })
}

/// The request that hands a part over.
pub(super) fn submit(options: &Options, to: &str, part: &Part) -> Result<SubmitSm, String> {
    // A plus says what the type of number says already.
    let digits = to.strip_prefix('+').unwrap_or(to).to_owned();
    let destination = COctetString::from_string(digits);
    let destination =
        destination.map_err(|_said| "the address is no telephone number".to_owned())?;
    let source = word("source", &options.source).map_err(|error| error.to_string())?;
    let message = OctetString::from_slice(&part.bytes);
    let message = message.map_err(|_said| "a part of the text is too long".to_owned())?;
    let (source_ton, source_npi) = options.source_kind;
    let (ton, npi) = match (to.starts_with('+'), options.recipient_kind) {
        (true, (0, 0)) => (1, 1),
        (_, kind) => kind,
    };
    // The defaults of the codec ask for acknowledgements that nobody wants: everything is said.
    Ok(SubmitSm::builder()
        .source_addr_ton(Ton::from(source_ton))
        .source_addr_npi(Npi::from(source_npi))
        .source_addr(source)
        .dest_addr_ton(Ton::from(ton))
        .dest_addr_npi(Npi::from(npi))
        .destination_addr(destination)
        .esm_class(EsmClass::from(if part.headed { 0x40 } else { 0 }))
        .registered_delivery(RegisteredDelivery::from(u8::from(options.receipts)))
        .data_coding(DataCoding::Ucs2)
        .short_message(message)
        .build())
}

/// Whether the centre says that it is too much at once.
pub(super) fn too_much(status: CommandStatus) -> bool {
    matches!(status, CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful)
}

/// What a refusal of a part means for the text.
pub(super) fn refused(status: CommandStatus) -> Outcome {
    // Words about this recipient or this text; all others are about this house or the centre.
    let permanent = matches!(
        status,
        CommandStatus::EsmeRinvdstadr | CommandStatus::EsmeRxPAppn | CommandStatus::EsmeRxRAppn
    );
    Outcome::Refused { permanent, why: format!("the centre refused: {}", said(status)) }
}

/// A status for people: its number and its name.
pub(super) fn said(status: CommandStatus) -> String {
    format!("0x{:08x} {status:?}", u32::from(status))
}
