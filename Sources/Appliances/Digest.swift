internal import CCrypto
package import Storage

/// A digest over pieces, by OpenSSL.
@safe
package final class Digest {
    /// Those that manifests and exports have.
    package enum Algorithm: String, Sendable {
        /// SHA-1, of old manifests and of XenServer's exports.
        case sha1
        /// SHA-256.
        case sha256
        /// SHA-512.
        case sha512

        /// Hexadecimal digits of a digest.
        package var digitCount: Int {
            switch self {
            case .sha1: 40
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    private let context: OpaquePointer

    /// Begins a digest. Throws `io` where OpenSSL has no memory for one, or does not know it.
    package init(_ algorithm: Algorithm) throws(StorageError) {
        let kind =
            switch algorithm {
            case .sha1: unsafe EVP_sha1()
            case .sha256: unsafe EVP_sha256()
            case .sha512: unsafe EVP_sha512()
            }
        guard let context = unsafe EVP_MD_CTX_new() else {
            throw .appliance(.io, .wrongDigest, "there is no memory for a digest")
        }
        unsafe self.context = context
        guard unsafe EVP_DigestInit_ex(context, kind, nil) == 1 else {
            throw .appliance(.io, .wrongDigest, "\(algorithm.rawValue) is not available")
        }
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// The MD5 of `bytes`, which formats of old have where any checksum would do.
    static func md5(_ bytes: RawSpan) throws(StorageError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 16)
        let status = unsafe digest.withUnsafeMutableBufferPointer { buffer in
            unsafe bytes.withUnsafeBytes { source in
                unsafe EVP_Digest(source.baseAddress, source.count, buffer.baseAddress, nil, EVP_md5(), nil)
            }
        }
        guard status == 1 else { throw .appliance(.io, .wrongDigest, "md5 is not available") }
        return digest
    }

    /// Adds bytes.
    package func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe _ = EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
    }

    /// The digest of everything added, in lower-case hexadecimal. The last call.
    package func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 64)
        var count: UInt32 = 0
        unsafe digest.withUnsafeMutableBufferPointer { buffer in
            unsafe _ = EVP_DigestFinal_ex(context, buffer.baseAddress, &count)
        }
        return digest.prefix(Int(count)).hexString
    }

    /// The digest of a file.
    package static func of(_ file: any ByteFile, _ algorithm: Algorithm) throws(StorageError) -> String {
        let digest = try Digest(algorithm)
        try file.forEachPiece(of: 0..<file.byteCount) { (_, bytes) throws(StorageError) in
            try Cancellation.check()
            digest.update(bytes)
        }
        return digest.finish()
    }
}
