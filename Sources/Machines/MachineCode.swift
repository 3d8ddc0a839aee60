internal import Storage

/// What can be wrong with a description of a machine.
package enum MachineCode: String, LayerCode, CaseIterable {
    package static let layer = "machine"

    /// Its XML is not well formed.
    case damagedXML = "damaged-xml"
    /// It declares a document type, which may define entities.
    case documentType = "document-type"
    /// Larger, deeper or of more elements than any machine needs.
    case tooLarge = "too-large"
    /// An encoding that is not read.
    case encoding
    /// It is encrypted.
    case encrypted
    /// It is not in the language that it is said to be in.
    case otherLanguage = "other-language"
    /// It describes no machine.
    case noMachine = "no-machine"
    /// It describes several machines.
    case severalMachines = "several-machines"
    /// It does not describe the machine that is asked for.
    case noSuchMachine = "no-such-machine"
    /// What should be a number is none, or larger than any disk.
    case badNumber = "bad-number"
    /// It refers to something that it does not hold.
    case danglingReference = "dangling-reference"
    /// Two parts of it contradict each other.
    case contradiction
    /// One of its disks is a chain of differences.
    case chainOfDifferences = "chain-of-differences"
    /// One of its files is cut into pieces.
    case inPieces = "in-pieces"
    /// One of its disks is no file: it is reached through a network.
    case remoteDisk = "remote-disk"

    /// A machine without disks is not described.
    case noDisk = "no-disk"
    /// A name has characters that no description holds.
    case nameNotExpressible = "name-not-expressible"
    /// A language has no words for a controller.
    case controllerNotExpressible = "controller-not-expressible"
    /// A hypervisor that a language is for opens no disk of this format.
    case formatNotExpressible = "format-not-expressible"
    /// More disks than fit behind a controller.
    case tooManyDisks = "too-many-disks"
}

extension StorageError {
    /// What is wrong with a description, which is in `language`.
    static func machine(
        _ kind: Kind, _ code: MachineCode, _ language: String, _ message: String, structure: String? = nil
    ) -> StorageError {
        StorageError(kind, code, message, layerName: language, structure: structure)
    }
}
