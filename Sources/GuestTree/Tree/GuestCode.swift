internal import Storage

/// What can be wrong with a guest, its volumes and its tree.
package enum GuestCode: String, LayerCode {
    package static let layer = "guest"

    case badOwner = "bad-owner"
    case badPath = "bad-path"
    case changeNotSupported = "change-not-supported"
    case changedSince = "changed-since"
    case crossVolume = "cross-volume"
    case cutOff = "cut-off"
    case danglingLink = "dangling-link"
    case directoryLoop = "directory-loop"
    case doubleName = "double-name"
    case editHasEnded = "edit-has-ended"
    case exists
    case foreignSystem = "foreign-system"
    case ignoreChecksumsWriting = "ignore-checksums-writing"
    case isADirectory = "is-a-directory"
    case mountPoint = "mount-point"
    case missingMount = "missing-mount"
    case noFileSystem = "no-file-system"
    case noGuest = "no-guest"
    case noSuchAccount = "no-such-account"
    case noSuchFile = "no-such-file"
    case noSuchRoot = "no-such-root"
    case noSuchVolume = "no-such-volume"
    case notADirectory = "not-a-directory"
    case notARegularFile = "not-a-regular-file"
    case notWritable = "not-writable"
    case sameDiskTwice = "same-disk-twice"
    case severalSystems = "several-systems"
    case suspended
    case tooDeep = "too-deep"
    case tooLong = "too-long"
    case windows
}
