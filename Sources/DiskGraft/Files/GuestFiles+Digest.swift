internal import Appliances
public import GuestTree
public import Storage

extension GuestFiles {
    /// The SHA-256 of a regular file's contents in hexadecimal.
    public func sha256(of file: GuestFile) throws(StorageError) -> String {
        let digest = try Digest(.sha256)
        try forEachPiece(of: file) { (bytes) throws(StorageError) in digest.update(bytes) }
        return digest.finish()
    }
}
