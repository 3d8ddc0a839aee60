internal import CCrypto
internal import Storage

/// SHA-256 over pieces, by OpenSSL.
@safe
final class SHA256 {
    private let context: OpaquePointer

    /// Begins a digest. Throws `io` where OpenSSL has no memory for one, or no SHA-256.
    init() throws(StorageError) {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        else {
            throw StorageError(.io, DigestCode.sha256, "SHA-256 is not available")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds bytes.
    func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe _ = EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
    }

    /// The digest of everything added, in hexadecimal; begins anew.
    func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe digest.withUnsafeMutableBufferPointer { buffer in
            unsafe _ = EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
        }
        unsafe _ = EVP_DigestInit_ex(context, EVP_sha256(), nil)
        return digest.hexString
    }
}
