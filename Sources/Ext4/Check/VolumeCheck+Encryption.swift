internal import Storage

/// What fscrypt keeps of an encrypted file (Documentation/filesystems/fscrypt.rst, struct fscrypt_context_v1 and _v2):
/// the policy, and behind it a nonce of the file's own.
private enum EncryptionContext {
    static let name = AttributeName(index: AttributeName.encryptionIndex, suffix: [UInt8(ascii: "c")])
    static let nonceLength = 16

    /// How long a context of a version is; nil for a version that is not known.
    static func length(ofVersion version: UInt8) -> Int? {
        switch version {
        case 1: 28
        case 2: 40
        default: nil
        }
    }
}

/// The policies of a volume's encrypted files.
struct EncryptionPolicies {
    /// What is known of an encrypted file's policy.
    enum Policy: Equatable {
        /// One of those met, by number.
        case known(UInt32)
        /// Of a version that is not known: it may be anything.
        case unrecognised
        /// Missing or damaged.
        case bad
    }

    private var numbers: [[UInt8]: UInt32] = [:]
    private var files: [UInt32: Policy] = [:]

    /// Takes note of a file's context; false when it is none.
    mutating func note(_ file: UInt32, context: [UInt8]?) -> Bool {
        guard let context, let version = context.first else {
            files[file] = .bad
            return false
        }
        guard let length = EncryptionContext.length(ofVersion: version) else {
            files[file] = .unrecognised
            return true
        }
        guard context.count == length else {
            files[file] = .bad
            return false
        }
        let policy = Array(context.dropLast(EncryptionContext.nonceLength))
        let number = numbers[policy] ?? UInt32(clamping: numbers.count)
        numbers[policy] = number
        files[file] = .known(number)
        return true
    }

    /// The policy of an encrypted file; nil for one that is not encrypted.
    subscript(file: UInt32) -> Policy? { files[file] }
}

extension VolumeCheck {
    /// An encrypted file has a context that says with what.
    func checkEncryption(of inode: Inode) throws(StorageError) {
        guard inode.flags.contains(.encrypted), geometry.incompatible.contains(.encryption) else { return }
        let entries = try sink.attempt(inode: inode.number.rawValue) { () throws(StorageError) in
            try view.attributeEntries(of: inode)
        }
        let entry = entries?.first { $0.name == EncryptionContext.name }
        if !policies.note(inode.number.rawValue, context: entry?.value) {
            add(
                .badEncryption, inode,
                entry == nil
                    ? "is marked as encrypted and does not say with what" : "has a damaged encryption context"
            )
        }
    }

    /// What is wrong with a name in an encrypted directory; nil where nothing is.
    func encryptionDefect(of name: [UInt8], _ child: UInt32, type: UInt8, in directory: Inode) -> String? {
        guard geometry.incompatible.contains(.encryption) else { return nil }
        // A block of the cipher.
        guard name.count >= 16 else { return "holds an encrypted name of \(name.count) bytes" }
        // Devices, FIFOs and sockets have nothing that could be encrypted.
        guard [1, 2, 7].contains(type) else { return nil }
        let own = policies[directory.number.rawValue]
        switch policies[child] {
        case nil: return "is encrypted and names inode \(child), which is not"
        case .known(let policy):
            guard case .known(let number) = own, number != policy else { return nil }
            return "names inode \(child), which is encrypted by another policy"
        case .bad, .unrecognised: return nil
        }
    }
}
