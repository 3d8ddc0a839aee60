// The host's names and paths are bytes, and the engine carries them in strings. What is not UTF-8 becomes scalars of
// one private range, a byte each, and so does UTF-8 of that range: every sequence of bytes has a string of its own and
// comes back exactly. (The way of PEP 383, whose lone surrogates a Swift string cannot hold.)

/// U+10FE00 and the byte; bytes below 0x80 are always UTF-8.
let escapedBytes: ClosedRange<UInt32> = 0x10fe80...0x10feff

extension String {
    /// The string for a name or path as the host gave it. `hostBytes` gives the same bytes back.
    public init(hostBytes bytes: some Collection<UInt8>) {
        let text = bytes.withContiguousStorageIfAvailable { bytes in
            unsafe bytes.contains(0xf4) ? nil : String(validating: bytes, as: UTF8.self)
        }
        if let text = text ?? nil {
            self = text
            return
        }
        self = ""
        bytes.forEachScalar { scalar, piece in
            if let scalar, !escapedBytes.contains(scalar.value) {
                unicodeScalars.append(scalar)
                return
            }
            for byte in piece {
                guard let escaped = Unicode.Scalar(0x10fe00 + UInt32(byte)) else { continue }
                unicodeScalars.append(escaped)
            }
        }
    }

    /// The bytes by which the host knows a name or path that came from `init(hostBytes:)`.
    public var hostBytes: [UInt8] {
        // Only scalars of the last plane's end begin with this byte.
        let encoded = Array(utf8)
        guard encoded.contains(0xf4) else { return encoded }
        var bytes: [UInt8] = []
        for scalar in unicodeScalars {
            if escapedBytes.contains(scalar.value) {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        return bytes
    }

    /// Another string for the same bytes, in which those from 0x80 on are scalars of their own and join nothing.
    public var withBytesEscaped: String {
        var text = ""
        for byte in hostBytes {
            guard let scalar = Unicode.Scalar((byte < 0x80 ? 0 : 0x10fe00) + UInt32(byte)) else { continue }
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    /// The bytes in hexadecimal where they are not UTF-8, for JSON; nil where the string says it all.
    public var hexOfHostBytes: String? {
        let bytes = hostBytes
        return bytes.elementsEqual(utf8) ? nil : bytes.hexString
    }
}
